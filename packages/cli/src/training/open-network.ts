import { type Checkpoint, createCheckpoint, openCheckpoint } from "@isthmus/core";
import { type DataSet, type Graph, readGraph } from "@isthmus/graph";
import { parseNetwork, parseNetworkName } from "@isthmus/zoo";
import { textContext } from "../text-context.ts";

/** What the user said of the network to train. */
export interface NetworkOptions {
  readonly net?: string | undefined;
  readonly graph?: string | undefined;
  readonly from?: string | undefined;
  readonly seed: number;
}

/** A network to train. */
export interface OpenNetwork {
  /** The short string that makes it, or the file of its graph. */
  readonly name: string;
  readonly graph: Graph;
  /** Weights to start from. */
  readonly weights: Checkpoint;
  close(): Promise<void>;
}

/**
 * Checks that one network is named.
 * @throws TypeError if not
 */
export function assertNetworkOptions({ net, graph }: NetworkOptions): void {
  if ((net === undefined) !== (graph === undefined)) return;
  throw new TypeError(
    `Cannot train as one of --net and --graph must say what: got ${net === undefined ? "neither" : "both"}`,
  );
}

/**
 * Tokens of an example that the network wants: what its short string or the input of its graph says.
 * @returns undefined if that says none, as for images
 */
export async function contextOf({ net, graph: path }: NetworkOptions): Promise<number | undefined> {
  if (net !== undefined) return parseNetworkName(net).context;
  return textContext((await readGraph(path ?? "")).graph).context;
}

/**
 * Builds or reads the network, for the examples it will be trained on; its weights are those of `--from`, else those of the
 * graph's file, else random ones by the seed.
 * @throws TypeError if there are no weights to start from
 */
export async function openNetwork(
  { net, graph: path, from, seed }: NetworkOptions,
  { exampleShape, classes }: DataSet,
): Promise<OpenNetwork> {
  if (net !== undefined) {
    const network = parseNetwork(net, { exampleShape, classes });
    const { graph, spec } = network;
    return withWeights({ name: spec, graph }, from, () => network.initialize(seed));
  }
  const name = path ?? "";
  const { graph, weights } = await readGraph(name);
  return withWeights({ name, graph }, from, () => {
    if (weights.size > 0) return createCheckpoint(weights, {}, name);
    throw new TypeError(
      `Cannot train graph "${name}" as it must have weights to start from: give them with --from CHECKPOINT, or build a network with --net`,
    );
  });
}

async function withWeights(
  network: Pick<OpenNetwork, "name" | "graph">,
  from: string | undefined,
  make: () => Checkpoint,
): Promise<OpenNetwork> {
  const weights = from === undefined ? make() : await openCheckpoint(from);
  return { ...network, weights, close: () => weights.close() };
}
