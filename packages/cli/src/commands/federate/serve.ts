import { setTimeout } from "node:timers/promises";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { readFederation, type ServedFederation, serveFederation } from "@isthmus/federation-server";
import { describeLogLine } from "../../federate/describe-log-line.ts";
import { formatStrategies } from "../../federate/format-strategies.ts";
import { formatTable } from "../../format/format-table.ts";
import { HELP_GROUPS } from "../../options/help-groups.ts";
import { parseCount, parseNumber } from "../../options/parse-values.ts";
import { assertOutput } from "../../output/assert-output.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

interface ServeVerbOptions {
  readonly output?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly log: "text" | "json";
  readonly linger: number;
}

/** Creates the command `isthmus federate serve`. */
export function federateServeVerb(run: RunVerb): CommandUnknownOpts {
  const summary = "Serve a federation over HTTP, with a live page";
  return createVerb("serve", HELP_GROUPS.done)
    .summary(summary)
    .description(`${summary}.`)
    .argument("<file>", "the federation, in YAML")
    .option("-o, --output <file>", "the network after the last round, a file ending in .safetensors")
    .option("--host <address>", "address to listen at (default: of the file, else 127.0.0.1)")
    .option(
      "--port <n>",
      "port, 0 for any that is free (default: of the file, else 8080)",
      parseCount(0, 65_535),
    )
    .addOption(
      new Option("--log <form>", "what happens, on standard error: as text, or as JSON in lines")
        .choices(["text", "json"] as const)
        .default("text" as const),
    )
    .option(
      "--linger <seconds>",
      "time after the last round for clients to read the network",
      parseNumber,
      10,
    )
    .addHelpText("after", EXAMPLES)
    .addHelpText("after", formatStrategies)
    .addHelpText(
      "after",
      "\nWhat happened is kept, whatever ends the command: the same command goes on within the round.\nAll keys of the file: https://isthmus-merge.github.io/isthmus/docs/reference/api/federation-server.html#the-file\n",
    )
    .action((file, options) => run(options, (context) => serve(file, options, context)));
}

const EXAMPLES = formatExamples(
  ["isthmus federate serve digits.yml", "the live page is at http://127.0.0.1:8080"],
  [
    "isthmus federate serve digits.yml --host 0.0.0.0 -o final.safetensors",
    "for clients on other machines; set tls in the file where others can listen",
  ],
);

async function serve(file: string, options: ServeVerbOptions, context: Context): Promise<Outcome> {
  const config = await readFederation(file);
  const { host = config.host, port = config.port, output, log } = options;
  if (output !== undefined) await assertOutput(output, [config.network]);
  const { terminal, signal } = context;
  const onLog = (line: string): void => {
    const text = log === "json" ? line.trimEnd() : describeLogLine(line);
    if (text !== undefined) terminal.note(text);
  };
  const server = await serveFederation({ ...config, host, port }, { onLog });
  try {
    terminal.note(`live page and address for clients: ${server.url}`);
    const state = await unlessAborted(server.finished, signal);
    const network = output === undefined ? server.network() : await copyNetwork(server, output);
    await setTimeout(options.linger * 1000, undefined, { signal });
    const outcome = { result: describe(server, network), text: `${format(server)}\n\nwrote ${network}` };
    return state.status === "failed"
      ? { ...outcome, failure: `the federation failed: ${state.reason}` }
      : outcome;
  } finally {
    await server.close();
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

async function copyNetwork(server: ServedFederation, output: string): Promise<string> {
  const network = await openCheckpoint(server.network());
  try {
    return (await saveCheckpoint(network, output, { overwrite: true })).path;
  } finally {
    await network.close();
  }
}

function describe({ state }: ServedFederation, network: string): object {
  const { status, history, refusals, reason, stopped } = state;
  const rounds = history.map(({ round, updates, hash, metrics, failed, privacy }) => ({
    round,
    updates: updates.length,
    hash,
    metrics,
    ...(failed !== undefined && { failed }),
    ...(privacy && { epsilon: privacy.epsilon, clip: privacy.clip }),
  }));
  return { status, reason, stopped, rounds, refusals, network };
}

function format({ state: { history, stopped } }: ServedFederation): string {
  const isPrivate = history.some(({ privacy }) => privacy !== undefined);
  // Losses of numbers have no accuracy.
  const names = ["loss", "accuracy"].filter(
    (name) => name === "loss" || history.length === 0 || history.some(({ metrics }) => name in metrics),
  );
  const number = (value: number | undefined): string => (value === undefined ? "" : value.toPrecision(4));
  const table = formatTable(
    [
      { title: "round", align: "right" },
      { title: "updates", align: "right" },
      ...names.map((title) => ({ title, align: "right" }) as const),
      ...(isPrivate ? [{ title: "epsilon", align: "right" } as const] : []),
    ],
    history.map(({ round, updates, metrics, privacy }) => [
      ...[String(round), String(updates.length)],
      ...names.map((name) => number(metrics[name])),
      ...(isPrivate ? [privacy?.epsilon?.toPrecision(4) ?? "infinite"] : []),
    ]),
  );
  const failures = history.flatMap(({ round, failed }) =>
    failed === undefined ? [] : [`round ${round} failed, and the network stayed: ${failed}`],
  );
  return [table, ...failures, ...(stopped === null ? [] : [`stopped: ${stopped}`])].join("\n\n");
}
