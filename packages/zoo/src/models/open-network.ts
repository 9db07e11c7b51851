import { at, type Checkpoint, createCheckpoint, openCheckpoint, UsageError } from "@isthmus/core";
import {
  type BindArchitectureOptions,
  type BindingSummary,
  bindArchitecture,
  type DataSet,
  describeBatch,
  type Engine,
  freeBatch,
  type Graph,
} from "@isthmus/graph";
import { parseNetwork, parseNetworkName } from "../short-string/parse-network.ts";
import { type DataContext, dataContext } from "./data-context.ts";
import { fitToData } from "./fit-to-data.ts";
import {
  type OpenArchitectureOptions,
  type ReadArchitecture,
  readArchitecture,
} from "./open-architecture.ts";

/** Names of the network to train, of its architecture and of the weights to start from. */
export interface NamedNetwork extends OpenArchitectureOptions, BindArchitectureOptions {
  /** Short string that the network is built by, such as `mlp:512x2`. @defaultValue `graph` is trained */
  readonly net?: string | undefined;
  /** File of the architecture. @defaultValue the network is built by `net` */
  readonly graph?: string | undefined;
  /** Checkpoint to start from. @defaultValue the weights in the file of the graph, or random ones */
  readonly from?: string | undefined;
  /** Seed of random weights. */
  readonly seed: number;
  /** Engine that runs the graph. */
  readonly engine: Engine;
}

/** A network to train. */
export interface NetworkToTrain {
  /** Name: the short string that makes it, or the file of its graph. */
  readonly name: string;
  /** Graph of the architecture. */
  readonly graph: Graph;
  /** Weights to start from, under the graph's names. */
  readonly weights: Checkpoint;
  /** Summary of how the weights of the graph were found in `--from`; missing without `--from`. */
  readonly binding?: BindingSummary;
  /** Gives trained weights the names that they have in `--from`. */
  restore(trained: Checkpoint): Checkpoint;
  /** Reads what {@link restore} returned, or a file it was saved to, under the graph's names again. */
  reread(saved: Checkpoint): Checkpoint;
  /** Closes the files of the weights. */
  close(): Promise<void>;
}

/**
 * Checks that one of `--net` and `--graph` is given.
 * @throws UsageError if neither or both are
 */
export function assertNetworkOptions({ net, graph }: Pick<NamedNetwork, "net" | "graph">): void {
  if ((net === undefined) !== (graph === undefined)) return;
  throw new UsageError(
    `Cannot train as one of --net and --graph must name the network: got ${net === undefined ? "neither" : "both"}`,
  );
}

/** Properties of a network that are known before the data are opened. */
export interface PlannedNetwork {
  /** Requirements of the network for its data, such as the inputs to read or the length of texts. */
  readonly context: DataContext;
  /** Architecture that was read; undefined if it is built from a short string. */
  readonly read: ReadArchitecture | undefined;
}

/** Reads the architecture of `--graph`, or the length of texts from the short string of `--net`. */
export async function planNetwork(options: NamedNetwork): Promise<PlannedNetwork> {
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
  options: NamedNetwork,
  { data, read: planned }: { readonly data: DataSet } & Pick<PlannedNetwork, "read">,
): Promise<NetworkToTrain> {
  const { net, graph: name, from, seed } = options;
  if (net !== undefined) {
    const { graph, spec, initialize } = parseNetwork(net, data);
    const read = { graph, carried: new Map() };
    return from === undefined
      ? unbound(spec, graph, initialize(seed))
      : bind(spec, read, { ...options, from });
  }
  if (name === undefined || planned === undefined) {
    throw new UsageError(
      `Cannot open the network to train as its graph must be read first: ${name === undefined ? "no graph is named" : `"${name}" is not`}; give the options to planNetwork(), and pass on what it read`,
    );
  }
  const read = fitToData(planned, data);
  if (from !== undefined) return bind(name, read, { ...options, from });
  if (read.carried.size > 0) {
    const weights = createCheckpoint(read.carried, {}, name);
    const { engine, signal, onNote = () => {} } = options;
    const {
      graph,
      exportedBatch: exported,
      reason,
    } = await freeBatch({ graph: read.graph, engine }, { weights, signal });
    const batch = exported === undefined ? null : { exported, reason: reason ?? null };
    for (const line of describeBatch(batch)) onNote(line);
    return unbound(name, graph, weights);
  }
  throw new UsageError(
    `Cannot train graph "${name}" as it must have weights to start from: give them with --from CHECKPOINT, or build a network with --net`,
  );
}

function unbound(name: string, graph: Graph, weights: Checkpoint): NetworkToTrain {
  const same = (network: Checkpoint) => network;
  return { name, graph, weights, restore: same, reread: same, close: () => weights.close() };
}

async function bind(
  name: string,
  read: ReadArchitecture,
  options: NamedNetwork & { readonly from: string },
): Promise<NetworkToTrain> {
  const checkpoint = await openCheckpoint(options.from);
  try {
    const architecture = { ...read, engine: options.engine };
    const { graph, networks, binding } = await bindArchitecture(architecture, [checkpoint], options);
    const { network, restore, reread } = at(networks, 0, "network");
    return { name, graph, weights: network, binding, restore, reread, close: () => checkpoint.close() };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}
