import { basename, dirname, resolve } from "node:path";
import { closestName, FormatError, InputError, readTextFile } from "@isthmus/core";
import {
  lookUp,
  PRE_AGGREGATIONS,
  planFederation,
  resolveRule,
  SERVER_STEPS,
  STRATEGY_DEFAULTS,
} from "@isthmus/federated";
import { tellProblem } from "@isthmus/forms";
import { resolveParameters } from "@isthmus/merging";
import { type Document, LineCounter, parseDocument } from "yaml";
import type * as z from "zod";
import { assertServedPrivacy } from "./assert-served-privacy.ts";
import { assertServedSecure } from "./assert-served-secure.ts";
import { FEDERATION_FILE, FEDERATION_KEYS, type FederationFile } from "./config-schema.ts";
import type { FederationConfig } from "./federation-config.ts";

/** Number of characters of the largest file that is read; the file of a federation fits on a screen. */
const MOST_CHARACTERS = 100_000;

/**
 * Reads a federation from a YAML file; paths in it are relative to its folder.
 * @throws FormatError if the file is not YAML
 * @throws InputError if the file does not have the form of a federation; the message names the lines
 * @throws UsageError, OutOfRangeError if numbers of the file contradict each other
 */
export async function readFederation(path: string): Promise<FederationConfig> {
  const file = parseFile(await readTextFile(path), basename(path));
  const folder = dirname(path);
  const at = (name: string): string => resolve(folder, name);
  const stem = basename(path).replace(/\.ya?ml$/i, "");
  const { name, strategy, training, loss, evaluate, layerBarriers, noiseSeed, limits } = file;
  const config: FederationConfig = {
    name,
    strategy,
    training,
    evaluate,
    layerBarriers,
    noiseSeed,
    limits,
    ...(loss !== undefined && { loss }),
    network: at(file.network),
    graph: file.graph === null ? null : at(file.graph),
    plan: planOf(file),
    host: file.host,
    port: file.port,
    public: file.public,
    tls: file.tls === null ? null : { key: at(file.tls.key), cert: at(file.tls.cert) },
    folder: at(file.folder ?? `${stem}.state`),
    tokens: at(file.tokens ?? `${stem}.tokens.json`),
  };
  assertChoices(config);
  return config;
}

function planOf(file: FederationFile) {
  const { rounds, quorum, available, fraction, overSelection, deadline, attempts } = file;
  const { failures, seed, late, maximumStaleness, buffer, secure } = file;
  return planFederation({
    rounds,
    quorum,
    available,
    fraction,
    overSelection,
    deadline,
    attempts,
    failures,
    seed,
    late,
    maximumStaleness,
    buffer,
    secure,
  });
}

function assertChoices(config: FederationConfig): void {
  const { strategy, plan, loss, evaluate, graph } = config;
  assertServedPrivacy(config);
  assertServedSecure(config);
  const { before, server } = { ...STRATEGY_DEFAULTS, ...strategy };
  const { of: rule, parameters } = resolveRule(strategy);
  for (const step of before) lookUp("step before aggregation", PRE_AGGREGATIONS, step);
  lookUp("optimiser of the server", SERVER_STEPS, server);
  const resolved = resolveParameters(rule.name, rule.parameters, parameters, {
    tensor: "",
    networks: 1,
    attempt: `aggregate by ${rule.name}`,
  });
  const least = rule.least?.(resolved);
  if (least !== undefined && plan.quorum < least.count) {
    throw new InputError(
      `Cannot run a federation by ${rule.name} with a quorum of ${plan.quorum} as ${least.reason}: set "quorum" to ${least.count} or more`,
      { input: "quorum" },
    );
  }
  if (strategy.align !== undefined && graph === null) {
    throw new InputError(
      'Cannot align updates as that needs the graph of the network: name it with "graph"',
      {
        input: "align",
      },
    );
  }
  if (loss === "none") {
    throw new InputError(
      'Cannot run a federation by the loss none as clients would minimise nothing: name another with "loss"',
      { input: "loss" },
    );
  }
  if (evaluate !== null && graph === null) {
    throw new InputError(
      `Cannot evaluate on "${evaluate}" as that needs the graph of the network: name it with "graph"`,
      {
        input: evaluate,
      },
    );
  }
}

function parseFile(text: string, name: string): FederationFile {
  if (text.length > MOST_CHARACTERS) {
    throw new InputError(
      `Cannot read the federation as its file may have ${MOST_CHARACTERS} characters: ${name} has ${text.length}`,
      { input: name },
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const [begin] = error.pos;
    const place = `${name}:${lines.linePos(begin).line}`;
    if (error.code !== "DUPLICATE_KEY") throw notYaml("YAML", place, error);
    const [key = ""] = /^[^:\r\n]*/.exec(text.slice(begin)) ?? [];
    throw new FormatError(
      `Cannot read the federation as a key may be given once: ${place} gives ${key.trim()} again; leave one of the two`,
      { format: "yaml", cause: error },
    );
  }
  const parsed = FEDERATION_FILE.safeParse(plainValue(document, name));
  if (parsed.success) return parsed.data;
  const lineOf = (path: readonly PropertyKey[]): number => {
    // A missing key has no position in the file.
    const node = document.getIn(path.map(String), true) as { range?: readonly number[] } | undefined;
    const [begin] = node?.range ?? [0];
    return lines.linePos(begin as number).line;
  };
  const problems = parsed.error.issues.map((issue) => `${name}:${lineOf(issue.path)}: ${tell(issue)}`);
  throw new InputError(
    `Cannot read the federation as it must be of the form of one: ${problems.slice(0, 8).join("\n  ")}`,
    { input: name },
  );
}

/**
 * Returns the value of a document. Aliases are refused: a federation needs none, and they could expand to a
 * value that fills the memory.
 */
function plainValue(document: Document, name: string): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    // An empty file counts as one without keys.
    return value === null ? {} : value;
  } catch (error) {
    throw notYaml(error instanceof ReferenceError ? "YAML without aliases" : "YAML", name, error as Error);
  }
}

/** @param form - form that the file must have */
function notYaml(form: string, place: string, error: Error): FormatError {
  const [message] = error.message.split("\n");
  return new FormatError(`Cannot read the federation as it must be ${form}: ${place}: ${message}`, {
    format: "yaml",
    cause: error,
  });
}

function tell(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    return issue.keys
      .map((key) => {
        const meant = issue.path.length === 0 ? closestName(key, FEDERATION_KEYS) : undefined;
        return `unknown key "${[...issue.path, key].map(String).join(".")}"${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
      })
      .join(", ");
  }
  return tellProblem(issue.path, issue);
}
