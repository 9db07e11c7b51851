import { at, type Checkpoint, type ResolvedOf } from "@isthmus/core";
import { type DataSet, type Graph, parameterNames } from "@isthmus/graph";
import { createPath, innerProducts } from "@isthmus/interpolation";
import { bindNetwork } from "../bind-network.ts";
import {
  type CorrectedEvaluator,
  createCorrectedEvaluator,
  type EvaluatedArchitecture,
} from "../create-corrected-evaluator.ts";
import type { MapPairs, MapPairsChoice, MeasureMapPairs } from "./map-options.ts";

/** Options of {@link measurePairs}; a map has the same options. */
export interface MeasurePairsOptions extends ResolvedOf<MapPairsChoice> {
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** Signal that stops the measurement. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the pairs that are measured, in `[0, 1]`. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * Measures pairs of networks as `mapNetworks` does, for example on another machine.
 *
 * @param networks - with the graph's names
 * @param pairs - positions in `networks` of the two networks of each pair
 * @returns for each pair the distance, then the losses, then the errors at the places between
 * @throws InputError if a weight or a loss is NaN or infinite, or the data do not fit the graph
 * @throws MismatchError if a network does not fit the graph
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { measurePairs } from "@isthmus/barrier";
 * import { openCheckpoint } from "@isthmus/core";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { openArchitecture } from "@isthmus/zoo";
 *
 * const onnx = createOnnxRuntimeEngine();
 * const { graph, engine } = await openArchitecture("examples/mnist-mlp/graph.onnx", onnx);
 * const open = (seed: string) => openCheckpoint(`examples/mnist-mlp/${seed}.safetensors`);
 * const networks = [await open("s0"), await open("s1")];
 * const architecture = { graph, engine, data: await openDataSet("mnist:test@100") };
 *
 * const how = { points: 3, statistics: "keep", batchSize: 100 } as const;
 * const [numbers] = await measurePairs(architecture, networks, [[0, 1]], how);
 * const [distance, loss, error] = numbers as [number, number, number]; // half-way from one to the other
 * assert(distance > 10 && loss > 1 && error > 0);
 * await Promise.all(networks.map((network) => network.close()));
 * ```
 */
export async function measurePairs(
  architecture: EvaluatedArchitecture,
  networks: readonly Checkpoint[],
  pairs: MapPairs["pairs"],
  { onProgress, signal, ...options }: MeasurePairsOptions,
): Promise<readonly (readonly number[])[]> {
  const evaluator = await createCorrectedEvaluator(architecture, {
    attempt: "map networks",
    ...options,
    signal,
  });
  const measured: (readonly number[])[] = [];
  try {
    await measurePairsBy(evaluator)(
      {
        graph: architecture.graph,
        pairs,
        options,
        networks: networks.map((network) => ({ network, fingerprint: "" })),
      },
      {
        signal,
        onProgress: (done) => onProgress?.(done),
        async onPair(pair, numbers) {
          measured[pair] = numbers;
        },
      },
    );
    return measured;
  } finally {
    await evaluator.release();
  }
}

/** Returns a function that measures pairs in this process, one after the other, with an evaluator. */
export function measurePairsBy(evaluator: CorrectedEvaluator): MeasureMapPairs {
  return async ({ graph, networks, pairs, options: { points } }, { signal, onProgress, onPair }) => {
    const open = (position: number) => bindNetwork(graph, at(networks, position, "network").network);
    const between = placesOf(points).slice(1, -1);
    let first: { readonly position: number; readonly network: Checkpoint } | undefined;
    for (const [pair, [a, b]] of pairs.entries()) {
      signal?.throwIfAborted();
      // Pairs with the same first network follow each other, so that it is read once.
      if (first?.position !== a) first = { position: a, network: await open(a) };
      const both = [first.network, await open(b)] as const;
      const path = createPath("linear", ...both);
      const losses: number[] = [];
      const errors: number[] = [];
      for (const t of between) {
        signal?.throwIfAborted();
        const { loss, error } = await evaluator.evaluate(path(t), [1 - t, t]);
        losses.push(loss);
        errors.push(error);
        onProgress((pair + losses.length / between.length) / pairs.length);
      }
      await onPair(pair, [await distanceOf(graph, both), ...losses, ...errors]);
    }
  };
}

/** Returns the evenly spaced places of a pair, both ends included. */
export function placesOf(points: number): readonly number[] {
  return Array.from({ length: points }, (_, i) => i / (points - 1));
}

/** Measures the Euclidean distance of two networks in their parameters. */
export async function distanceOf(graph: Graph, networks: readonly [Checkpoint, Checkpoint]): Promise<number> {
  const products = await innerProducts(networks, [[-1, 1]], { tensors: parameterNames(graph) });
  return Math.sqrt(at(at(products, 0, "combination"), 0, "combination"));
}
