import { access, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  at,
  type Checkpoint,
  openCheckpoint,
  readTextFile,
  saveFile,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import {
  type AggregateFiles,
  alignTargetOf,
  type ClientReport,
  type ClientUpdate,
  resolveStrategy,
  type SavedAggregate,
  saveAggregate,
} from "@isthmus/federated";
import { readAdapterScales, type ScaleOf } from "@isthmus/merging";
import { type AlignedUpdates, alignUpdates } from "@isthmus/weight-matching";
import { type OpenedArchitecture, openSharedArchitecture } from "@isthmus/zoo";
import { formatStrategies } from "../../federate/format-strategies.ts";
import {
  addStrategyOptions,
  describeStrategy,
  type StrategyVerbOptions,
} from "../../federate/strategy-options.ts";
import { formatPairs, formatTable } from "../../format/format-table.ts";
import { openEngine } from "../../open/open-engine.ts";
import { addEngineOption, type EngineOptions } from "../../options/engine-option.ts";
import { HELP_GROUPS } from "../../options/help-groups.ts";
import { parseBytes, parseCount, parseNumbers, parseSeed } from "../../options/parse-values.ts";
import { assertOutput } from "../../output/assert-output.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

interface AggregateVerbOptions extends EngineOptions, StrategyVerbOptions {
  readonly output: string;
  readonly examples?: readonly number[] | undefined;
  readonly losses?: readonly number[] | undefined;
  readonly graph?: string | undefined;
  readonly state?: string | undefined;
  readonly round: number;
  readonly seed: number;
  readonly memory: number;
}

/** Creates the command `isthmus federate aggregate`. */
export function federateAggregateVerb(run: RunVerb): CommandUnknownOpts {
  const summary = "Aggregate what clients sent in one round, by any rule";
  return addStrategyOptions(addEngineOption(createAggregateVerb()))
    .summary(summary)
    .description(`${summary}.`)
    .addHelpText("after", EXAMPLES)
    .addHelpText("after", formatStrategies)
    .action((network, updates, options) =>
      run(options, (context) => aggregate(network, updates, options, context)),
    );
}

const EXAMPLES = formatExamples(
  [
    "isthmus federate aggregate global.safetensors anna.safetensors bert.safetensors --examples 600,400 -o next.safetensors",
    "the average, weighted by numbers of examples",
  ],
  [
    "isthmus federate aggregate global.safetensors clients/*.safetensors --before nnm:f=2 --rule trimmed-mean:f=2 -o next.safetensors",
    "an average that two attackers cannot move far",
  ],
  [
    "isthmus federate aggregate global.safetensors clients/*.safetensors --server adam --state adam.safetensors --round 3 -o next.safetensors",
    "the server's Adam, its state kept in a file from round to round",
  ],
  [
    "isthmus federate aggregate a.safetensors a.safetensors b.safetensors --align each-other --graph model.onnx -o next.safetensors",
    "clients that began apart, aligned first",
  ],
  [
    "isthmus federate aggregate lora anna/lora bert/lora --examples 600,400 -o next",
    "LoRA adapters of any ranks in folders of PEFT: the mean of their products, at the rank of the first, in a folder that PEFT loads",
  ],
);

function createAggregateVerb() {
  return createVerb("aggregate", HELP_GROUPS.done)
    .argument("<global>", "the network that the round began with")
    .argument("<updates...>", "networks that clients sent; a client is named like its file")
    .requiredOption(
      "-o, --output <path>",
      "the network after the round: a file ending in .safetensors, or a folder for an adapter in a folder of PEFT",
    )
    .option(
      "--examples <n,n,...>",
      "number of examples of each client, in order (default: all equal)",
      parseNumbers,
    )
    .option("--losses <x,x,...>", "loss of the global network at each client, for qfedavg", parseNumbers)
    .option("--graph <file>", "the architecture, .onnx or model.json; needed for --align")
    .option(
      "--state <file>",
      "state of the rule and the server's optimiser: read if it is there, and written",
    )
    .option("--round <n>", "number of the round, from 1", parseCount(1), 1)
    .option("--seed <n>", "decides all that is random", parseSeed, 0)
    .option("--memory <bytes>", "most memory for ranges of networks, as 64MB", parseBytes, 16 * 2 ** 20);
}

async function aggregate(
  path: string,
  paths: readonly string[],
  options: AggregateVerbOptions,
  context: Context,
): Promise<Outcome> {
  return withCheckpoints([path, ...paths] as const, async (all) => {
    const [network, ...sent] = all as readonly [Checkpoint, ...Checkpoint[]];
    const inputs = [network, ...sent].flatMap(({ files }) => files);
    const files = await placeFiles(path, options);
    await assertOutput(files.network, inputs);
    const architecture =
      options.graph === undefined
        ? undefined
        : await openSharedArchitecture([path], await openEngine(options, context), options);
    const strategy = describeStrategy(options);
    const resolved = resolveStrategy(architecture?.graph, network, strategy);
    const scales = await Promise.all(
      [path, ...paths].map((one, i) => readAdapterScales(one, at(all, i, "network").tensors.keys())),
    );
    assertScales({ path, paths, scales, scaleOf: resolved.scaleOf, note: context.terminal.note });
    const updates = nameUpdates(paths, sent, { ...options, scales: scales.slice(1) });
    const aligned = await alignIfAsked(network, updates, { strategy, architecture, options, context });
    const state = await openState(options.state);
    try {
      const saved = await saveAggregate(network, aligned?.updates ?? updates, files, {
        ...resolved,
        ...(scales[0] && { scaleOf: scales[0] }),
        state,
        round: options.round,
        seed: options.seed,
        memory: options.memory,
        signal: context.signal,
        onProgress: ({ phase, done }) =>
          context.progress(phase === "survey" ? "Measuring updates" : "Aggregating", done),
      });
      // The rank and the scale of the network stay.
      if (files.settings !== undefined)
        await saveFile(files.settings, await readTextFile(join(path, SETTINGS)));
      return { result: describe(saved, aligned), text: format(saved, aligned) };
    } finally {
      await state?.close();
    }
  });
}

/**
 * Checks that the scale of the network is known if clients state their own, and names clients without any.
 * @throws UsageError if it is not known
 */
function assertScales({
  path,
  paths,
  scales: [own, ...sent],
  scaleOf,
  note,
}: {
  /** File of the network. */
  readonly path: string;
  /** Files that clients sent. */
  readonly paths: readonly string[];
  /** Scales that settings beside the files state, of the network first. */
  readonly scales: readonly (ScaleOf | undefined)[];
  /** Scale that the strategy states. */
  readonly scaleOf: ScaleOf | undefined;
  readonly note: (text: string) => void;
}): void {
  const stated = paths.find((_, i) => sent[i] !== undefined);
  if (own === undefined && scaleOf === undefined && stated !== undefined) {
    throw new UsageError(
      `Cannot aggregate as the scale of adapter "${path}" must be known if that of "${stated}" is, by its ${SETTINGS}: give the folder of "${path}" that PEFT saved, or --adapter-alpha`,
    );
  }
  const silent = paths.filter((_, i) => sent[i] === undefined);
  if (own === undefined || silent.length === 0) return;
  note(
    `No ${SETTINGS} is beside ${silent.join(", ")}: the scale follows from the settings of ${path} and from the rank.`,
  );
}

/** Name of the settings of an adapter in a folder of PEFT. */
const SETTINGS = "adapter_config.json";

/** Paths of the files that are written. */
interface PlacedFiles extends AggregateFiles {
  /** Path of the settings of an adapter; undefined for other networks, and for an adapter in one file. */
  readonly settings: string | undefined;
}

/** Places the files of the result: an adapter of PEFT in a folder that PEFT loads, unless a file is named. */
async function placeFiles(path: string, { output, state }: AggregateVerbOptions): Promise<PlacedFiles> {
  const isFolder =
    !output.endsWith(".safetensors") && (await stat(join(path, SETTINGS)).catch(() => undefined));
  const besides = { state: state ?? `${output.replace(/[/\\]+$/, "")}.state.safetensors` };
  if (!isFolder) return { ...besides, network: output, settings: undefined };
  return {
    ...besides,
    network: join(output, "adapter_model.safetensors"),
    settings: join(output, SETTINGS),
  };
}

function nameUpdates(
  paths: readonly string[],
  networks: readonly Checkpoint[],
  { examples, losses, scales }: AggregateVerbOptions & { readonly scales: readonly (ScaleOf | undefined)[] },
): ClientUpdate[] {
  for (const [name, list] of Object.entries({ examples, losses })) {
    if (list === undefined || list.length === networks.length) continue;
    throw new UsageError(
      `Cannot aggregate as --${name} must have a number for each of ${networks.length} updates: it has ${list.length}`,
    );
  }
  const clients = nameClients(paths);
  return networks.map((network, i) => {
    return {
      client: at(clients, i, "name"),
      examples: examples === undefined ? 1 : at(examples, i, "number of examples"),
      network,
      loss: losses?.[i],
      scaleOf: scales[i],
    };
  });
}

/** Names each client like its file, or by the path if several files have one name. */
function nameClients(paths: readonly string[]): readonly string[] {
  const names = paths.map((path) => basename(path, extname(path)));
  return paths.map((path, i) => {
    const name = at(names, i, "name");
    return names.indexOf(name) === names.lastIndexOf(name) ? name : path;
  });
}

interface Aligning {
  readonly strategy: ReturnType<typeof describeStrategy>;
  readonly architecture: OpenedArchitecture | undefined;
  readonly options: AggregateVerbOptions;
  readonly context: Context;
}

async function alignIfAsked(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  { strategy: { align }, architecture, options: { seed }, context }: Aligning,
): Promise<AlignedUpdates<ClientUpdate> | undefined> {
  if (align === undefined) return undefined;
  if (architecture === undefined) {
    throw new UsageError("Cannot align updates as the architecture must be known: add --graph model.onnx");
  }
  return alignUpdates(architecture, network, updates, {
    to: alignTargetOf(align),
    seed,
    signal: context.signal,
    onProgress: (done) => context.progress("Aligning", done),
  });
}

/** Opens the state that an earlier round left; undefined in the first round. */
async function openState(path: string | undefined): Promise<Checkpoint | undefined> {
  if (path === undefined) return undefined;
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  return exists ? openCheckpoint(path) : undefined;
}

function describe(
  { network, state, report }: SavedAggregate,
  aligned: AlignedUpdates<ClientUpdate> | undefined,
): object {
  const outputs = state === undefined ? [network] : [network, state];
  const alignment = aligned && { identity: aligned.identity, clients: aligned.clients };
  return { ...report, ...(alignment && { alignment }), outputs };
}

function format(
  { network, state, report }: SavedAggregate,
  aligned: AlignedUpdates<ClientUpdate> | undefined,
): string {
  const number = (value: number | undefined) => (value === undefined ? "" : value.toPrecision(4));
  // Columns that a rule has nothing to say in are left out.
  const columns = [
    { title: "client", of: ({ client }: ClientReport) => client },
    { title: "examples", of: ({ examples }: ClientReport) => String(examples) },
    { title: "norm", of: ({ norm }: ClientReport) => number(norm) },
    { title: "weight", of: ({ weight }: ClientReport) => number(weight) },
    { title: "units moved", of: (_: ClientReport, i: number) => tellMoved(aligned, i) },
  ].filter(({ of }) => report.clients.some((client, i) => of(client, i) !== ""));
  const table = formatTable(
    columns.map(({ title }) => (title === "client" ? { title } : { title, align: "right" as const })),
    report.clients.map((client, i) => columns.map(({ of }) => of(client, i))),
  );
  const rule = [...report.preAggregations, report.rule, report.server].join(", then ");
  const pairs = formatPairs([
    ["rule", rule],
    ...(aligned?.identity === true ? [["alignment", "every unit was at its place"] as const] : []),
    ...(report.lostNorm === undefined
      ? []
      : [
          [
            "lost",
            `${report.lostNorm.toPrecision(4)} in norm, for which the rank of the adapters has no room`,
          ] as const,
        ]),
    [
      "change",
      `${report.changeNorm.toPrecision(4)} in norm, by which the network moved ${report.stepNorm.toPrecision(4)}`,
    ],
    ["wrote", state === undefined ? network : `${network}, ${state}`],
  ]);
  return `${table}\n\n${pairs}`;
}

/** Says how many units of a client moved; an empty text if updates were not aligned. */
const tellMoved = (aligned: AlignedUpdates<ClientUpdate> | undefined, client: number): string =>
  aligned === undefined ? "" : String(at(aligned.clients, client, "client").moved);
