import { at, type Checkpoint, createCheckpoint, openCheckpoint, UsageError } from "@isthmus/core";
import { createEngine } from "@isthmus/engine";
import { type BindingSummary, type DataSet, describeBatch, freeBatch, type Graph } from "@isthmus/graph";
import {
  type DataContext,
  dataContext,
  fitToData,
  parseNetwork,
  parseNetworkName,
  type ReadArchitecture,
  readArchitecture,
} from "@isthmus/zoo";
import { type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import type { Context } from "../verb.ts";

/** Options of the command line for the network to train. */
export interface NetworkOptions extends BindingOptions, EngineOptions {
  /** Short string of a network to build, such as `mlp:64`; excludes `graph`. */
  readonly net?: string | undefined;
  /** File of the architecture; excludes `net`. */
  readonly graph?: string | undefined;
  /**
   * Checkpoint of the weights to start from.
   * @defaultValue the weights in the file of the graph, or random ones for `net`
   */
  readonly from?: string | undefined;
  /** Seed of the random weights of `net`, and of the training. */
  readonly seed: number;
}

/** A network to train. */
export interface OpenNetwork {
  /** Name: the short string that makes it, or the file of its graph. */
  readonly name: string;
  /** Graph of the network, fitted to the data. */
  readonly graph: Graph;
  /** Weights to start from, under the graph's names. */
  readonly weights: Checkpoint;
  /** Summary of how the weights of the graph were found in `--from`; missing without `--from`. */
  readonly binding?: BindingSummary;
  /** Gives trained weights the names that they have in `--from`. */
  restore(trained: Checkpoint): Checkpoint;
  /** Reads what {@link restore} returned, or a file it was saved to, under the graph's names again. */
  reread(saved: Checkpoint): Checkpoint;
  /** Closes the file that weights are read from. */
  close(): Promise<void>;
}

/**
 * Checks that one of `--net` and `--graph` is given.
 * @throws UsageError if neither or both are
 */
export function assertNetworkOptions({ net, graph }: NetworkOptions): void {
  if ((net === undefined) !== (graph === undefined)) return;
  throw new UsageError(
    `Cannot train as one of --net and --graph must name the network: got ${net === undefined ? "neither" : "both"}`,
  );
}

/** Properties of a network that are known before the data are opened. */
export interface PlannedNetwork {
  /** Demands of the network on the data. */
  readonly context: DataContext;
  /** Architecture that was read; undefined if it is built from a short string. */
  readonly read: ReadArchitecture | undefined;
}

/** Reads the architecture of `--graph`, or the length of texts from the short string of `--net`. */
export async function planNetwork(options: NetworkOptions): Promise<PlannedNetwork> {
  const { net, graph: path = "" } = options;
  if (net === undefined) {
    const read = await readArchitecture(path, options);
    return { read, context: dataContext(read) };
  }
  const { context } = parseNetworkName(net);
  return { read: undefined, context: context === undefined ? {} : { context } };
}

/**
 * Opens the network for the examples it will be trained on, and its weights: from `--from`, else from the
 * file of the graph, else random ones by the seed for `--net`.
 * @throws UsageError if there are no weights to start from
 * @throws MismatchError if graph and `--from` do not fit each other
 */
export async function openNetwork(
  options: NetworkOptions,
  { data, read: planned }: { readonly data: DataSet } & Pick<PlannedNetwork, "read">,
  context: Pick<Context, "signal" | "terminal">,
): Promise<OpenNetwork> {
  const { net, graph: path, from, seed } = options;
  if (net !== undefined || planned === undefined) {
    const { graph, spec, initialize } = parseNetwork(net ?? "", data);
    const read = { graph, carried: new Map() };
    return from === undefined
      ? unbound(spec, graph, initialize(seed))
      : bind(spec, read, { ...options, from }, context);
  }
  const name = path ?? "";
  const read = fitToData(planned, data);
  if (from !== undefined) return bind(name, read, { ...options, from }, context);
  if (read.carried.size > 0) {
    const weights = createCheckpoint(read.carried, {}, name);
    const engine = await createEngine(options.engine);
    const { signal, terminal } = context;
    const {
      graph,
      exportedBatch: exported,
      reason,
    } = await freeBatch({ graph: read.graph, engine }, { weights, signal });
    const batch = exported === undefined ? null : { exported, reason: reason ?? null };
    for (const line of describeBatch(batch)) terminal.note(line);
    return unbound(name, graph, weights);
  }
  throw new UsageError(
    `Cannot train graph "${name}" as it must have weights to start from: give them with --from CHECKPOINT, or build a network with --net`,
  );
}

function unbound(name: string, graph: Graph, weights: Checkpoint): OpenNetwork {
  const same = (network: Checkpoint) => network;
  return { name, graph, weights, restore: same, reread: same, close: () => weights.close() };
}

async function bind(
  name: string,
  read: ReadArchitecture,
  options: NetworkOptions & { readonly from: string },
  context: Pick<Context, "signal" | "terminal">,
): Promise<OpenNetwork> {
  const checkpoint = await openCheckpoint(options.from);
  try {
    const architecture = { ...read, engine: await createEngine(options.engine) };
    const { graph, networks, binding } = await bindArchitecture(architecture, [checkpoint], options, context);
    const { network, restore, reread } = at(networks, 0, "network");
    return { name, graph, weights: network, binding, restore, reread, close: () => checkpoint.close() };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}
