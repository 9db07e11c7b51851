import {
  type Checkpoint,
  DTYPES,
  entry,
  isIsthmusError,
  MismatchError,
  openCheckpoint,
  sizeOf,
  sumOf,
  UnsupportedError,
} from "@isthmus/core";
import {
  assertProducts,
  batchNorms,
  type FactorPair,
  findFactorPairs,
  isLocal,
  resolveStrategy,
} from "@isthmus/federated";
import { assertNetwork, bindArchitecture, type Graph } from "@isthmus/graph";
import { readArchitecture } from "@isthmus/zoo";
import type { FederationConfig } from "../config/federation-config.ts";
import { namesTreated } from "../work/names-treated.ts";
import { secureLayout } from "../work/secure-layout.ts";
import type { Federation } from "./running-federation.ts";

/** Facts about the network of a federation that hold for all of its rounds. */
export interface PreparedNetwork
  extends Pick<
    Federation,
    "keptTensors" | "averagedTensors" | "sharedVariances" | "secureElements" | "hasAdapters" | "rankBytes"
  > {
  /**
   * Graph whose weights are the tensors of the network, by their names; absent if the file names no graph.
   */
  readonly graph: Graph | undefined;
}

/**
 * Binds the graph of a federation to its network, and decides the treatment of every tensor. Nothing is
 * written, so that a federation that cannot be served leaves no trace.
 * @param path - path of the network as the store holds it
 * @throws MismatchError if the graph is not that of the network, or exporters changed what cannot be found
 * @throws UnsupportedError if the strategy is private, and a tensor breaks the account; or if a choice needs
 *   the products of adapters in full
 */
export async function prepareNetwork(config: FederationConfig, path: string): Promise<PreparedNetwork> {
  const network = await openCheckpoint(path);
  try {
    const graph = config.graph === null ? undefined : await boundGraph(config.graph, network, config);
    const { treatments, server } = resolveStrategy(graph, network, config.strategy);
    const pairs = findFactorPairs(network, treatments);
    assertProducts(pairs, {
      server,
      hasNoise: config.strategy.privacy !== undefined,
      isSecure: config.plan.secure !== null,
      isAligned: config.strategy.align !== undefined,
    });
    const keptTensors = [...namesTreated(treatments, "keep")];
    const averagedTensors = [...namesTreated(treatments, "average")];
    assertNoNoise(config, averagedTensors);
    return {
      graph,
      hasAdapters: pairs.length > 0,
      rankBytes: bytesAbove(network, pairs, config.limits.rank),
      keptTensors,
      averagedTensors,
      sharedVariances: [...batchNorms(graph, network).variances].filter(
        (name) => !keptTensors.includes(name),
      ),
      secureElements: secureLayout(network, new Set(keptTensors)).elements,
    };
  } finally {
    await network.close();
  }
}

/** Counts the bytes by which factors of the largest rank are larger than the factors of the network. */
function bytesAbove({ tensors }: Checkpoint, pairs: readonly FactorPair[], most: number | null): number {
  return pairs.reduce((sum, { a, b, rank }) => {
    const bytes = [a, b].map((name) => {
      const { dtype, shape } = entry(tensors, name, "tensor");
      return DTYPES[dtype].bytes * sizeOf(shape);
    });
    return sum + Math.max(0, (most ?? rank) / rank - 1) * sumOf(bytes);
  }, 0);
}

/** Returns the graph whose weights are the tensors of the network, whatever an exporter did to them. */
async function boundGraph(path: string, network: Checkpoint, config: FederationConfig): Promise<Graph> {
  const { createOnnxRuntimeEngine } = await import("@isthmus/engine");
  const named = { ...network, source: config.network };
  try {
    const opened = { ...(await readArchitecture(path)), engine: createOnnxRuntimeEngine() };
    const { graph } = await bindArchitecture(opened, [named]);
    assertNetwork(graph, named);
    return graph;
  } catch (error) {
    if (!isIsthmusError(error, "MismatchError")) throw error;
    const { parameters } = error as MismatchError;
    throw new MismatchError(withoutOptions(error.message), { parameters, cause: error });
  }
}

/** Replaces advice that names options which a federation does not have. */
function withoutOptions(message: string): string {
  return message.replace(
    /[.;,:] [^.;,:]*--[a-z].*$/s,
    "; export the graph from this very network, without optimization or constant folding, as by torch.onnx.export(..., optimize=False)",
  );
}

/**
 * Checks that no client adds noise to running statistics, as noise makes variances negative.
 * @throws UnsupportedError if clients add noise, and statistics are averaged
 */
function assertNoNoise({ strategy: { privacy } }: FederationConfig, averaged: readonly string[]): void {
  const [first] = averaged;
  if (privacy === undefined || !isLocal(privacy) || first === undefined) return;
  throw new UnsupportedError(
    `Cannot take noise of clients on running statistics such as "${first}" as it makes variances negative: keep them with the clients, by strategy: { share: { statistics: keep } }`,
    { feature: "privacy" },
  );
}
