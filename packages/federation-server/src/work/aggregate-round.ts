import { rm } from "node:fs/promises";
import {
  type Checkpoint,
  composeCheckpoint,
  DTYPES,
  entry,
  InputError,
  matchesAny,
  openCheckpoint,
} from "@isthmus/core";
import {
  AGGREGATION_RULES,
  type AggregateReport,
  type ClientUpdate,
  type Configured,
  PRE_AGGREGATIONS,
  SERVER_STEPS,
  saveAggregate,
  type Treatment,
} from "@isthmus/federated";
import { hashFile } from "../store/hash-file.ts";
import { publish } from "../store/store.ts";

/** A rule, a step before it or an optimiser by name, with values of its parameters. */
export interface NamedChoice {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** How updates are aggregated, as plain data. */
export interface AggregationChoices {
  readonly rule: NamedChoice;
  readonly preAggregations: readonly NamedChoice[];
  readonly server: NamedChoice;
  /** Largest norm of a change, to which longer ones are shortened; `null` for any. */
  readonly clip: number | null;
  /** Globs of tensors that clients keep to themselves. */
  readonly keep: readonly string[];
  /** Globs of tensors that are averaged by examples, whatever the rule. */
  readonly average: readonly string[];
}

/** What is needed to aggregate a round, with paths in place of networks. */
export interface AggregateRequest {
  readonly network: string;
  readonly updates: readonly {
    readonly client: string;
    readonly examples: number;
    readonly loss?: number | undefined;
    readonly staleness: number;
    readonly path: string;
    /** Path of the network that the client began with. */
    readonly base: string;
  }[];
  readonly choices: AggregationChoices;
  readonly round: number;
  readonly seed: number;
  /** Path of the state that the round before left, where it left one. */
  readonly state: string | null;
  /** Paths to write to. */
  readonly output: { readonly network: string; readonly state: string; readonly models: string };
}

/** What came of a round. */
export interface AggregatedRound {
  /** SHA-256 of the new network, which is the name of its file. */
  readonly hash: string;
  readonly report: AggregateReport;
}

/** Aggregates a round: the same bytes every time, so that a killed server may do it again. */
export async function aggregateRound(
  request: AggregateRequest,
  signal: AbortSignal,
): Promise<AggregatedRound> {
  const { choices, output, round, seed } = request;
  const opened: Checkpoint[] = [];
  const open = async (path: string): Promise<Checkpoint> => {
    const checkpoint = await openCheckpoint(path);
    opened.push(checkpoint);
    return checkpoint;
  };
  try {
    const network = await open(request.network);
    const updates: ClientUpdate[] = [];
    for (const { path, base, ...update } of request.updates) {
      const began = base === request.network ? undefined : await open(base);
      updates.push({ ...update, network: completed(await open(path), network, choices.keep), base: began });
    }
    const state = request.state === null ? undefined : await open(request.state);
    const { report } = await saveAggregate(network, updates, output, {
      ...configure(choices),
      treatments: treatmentsOf(network, choices),
      clip: choices.clip ?? undefined,
      ...{ state, round, seed, signal },
    });
    const hash = await hashFile(output.network);
    await publish(output.network, `${output.models}/${hash}.safetensors`);
    return { hash, report };
  } catch (error) {
    await rm(output.network, { force: true });
    throw error;
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
  }
}

/** Returns an update in which the tensors that clients keep are those of the global network. */
function completed(update: Checkpoint, network: Checkpoint, keep: readonly string[]): Checkpoint {
  const places = [...network.tensors.keys()].map((name) => {
    return [name, { checkpoint: matchesAny(keep, name) ? network : update, name }] as const;
  });
  return composeCheckpoint(new Map(places), { source: update.source });
}

/** Returns what becomes of the tensors that globs name; the core decides on the others. */
function treatmentsOf(
  { tensors }: Checkpoint,
  { keep, average }: AggregationChoices,
): Map<string, Treatment> {
  const treatments = new Map<string, Treatment>();
  for (const [name, { dtype }] of tensors) {
    if (matchesAny(keep, name)) treatments.set(name, "keep");
    else if (matchesAny(average, name) && DTYPES[dtype].float) treatments.set(name, "average");
  }
  return treatments;
}

function configure({ rule, preAggregations, server }: AggregationChoices) {
  return {
    rule: find("rule", AGGREGATION_RULES, rule),
    preAggregations: preAggregations.map((choice) => find("pre-aggregation", PRE_AGGREGATIONS, choice)),
    server: find("server step", SERVER_STEPS, server),
  };
}

/**
 * Finds what a name stands for.
 * @throws InputError if nothing has the name; all names are listed
 */
export function find<T>(
  what: string,
  all: ReadonlyMap<string, T>,
  { name, parameters }: NamedChoice,
): Configured<T> {
  if (!all.has(name)) {
    throw new InputError(
      `Cannot aggregate as there is no ${what} "${name}": there are ${[...all.keys()].sort().join(", ")}`,
      { input: name },
    );
  }
  return { of: entry(all, name, what), parameters: parameters as Configured<T>["parameters"] };
}
