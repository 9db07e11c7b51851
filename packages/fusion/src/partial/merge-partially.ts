import { at, type Checkpoint, resolveOptions, UsageError } from "@isthmus/core";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";
import { discoverSymmetries, permute, type Symmetries, wholeSpec } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";
import { activationSimilarity } from "./choose/activation-similarity.ts";
import { chooseMerged, type MergedSymmetry, type PartialWidth } from "./choose/choose-merged.ts";
import { weightSimilarity } from "./choose/weight-similarity.ts";
import type { FittedLayer } from "./fit/fit-layer.ts";
import { type FitOptions, fitLayers } from "./fit/fit-layers.ts";
import { findSeparable, planWidening } from "./graph/plan-widening.ts";
import { probeTwice } from "./graph/probe-twice.ts";
import { widenGraph } from "./graph/widen-graph.ts";
import { proveWidening, type WideningProof } from "./network/prove-widening.ts";
import { widenNetwork } from "./network/widen-network.ts";

/**
 * Measure by which pairs of units are chosen: the cosine of their weights, or the correlation of their
 * activations.
 */
export type PairSimilarity = (typeof PAIR_SIMILARITIES)[number];

/** All values of {@link PairSimilarity}. */
export const PAIR_SIMILARITIES = ["weight", "activation"] as const;

/** Options of {@link mergePartially}. */
export interface MergePartiallyOptions {
  /** Seed of the search for the alignment, and of the proof. */
  readonly seed: number;
  /** Width of the merged network. @defaultValue 1.5 */
  readonly width?: PartialWidth;
  /** Measure by which units are matched; "activation" needs `data`. @defaultValue "weight" */
  readonly method?: PairSimilarity;
  /**
   * Measure by which the merged pairs are chosen; "activation" needs `data`. @defaultValue the value of
   * `method`
   */
  readonly similarity?: PairSimilarity | undefined;
  /** Examples for matching and choosing by activations, and for fitting. */
  readonly data?: DataSet | undefined;
  /**
   * Options for fitting each layer by least squares, on `data` or on the examples of two tasks. @defaultValue
   * layers are not fitted
   */
  readonly fit?: FitOptions | undefined;
  /** Number of searches for the alignment by weights, of which the best is taken. @defaultValue 8 */
  readonly restarts?: number;
  /** Symmetries of the graph, if they were discovered before. */
  readonly symmetries?: Symmetries | undefined;
  /** Signal that stops the merge between two steps. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called at the beginning of each phase, and after each layer that is fitted. @defaultValue no reports */
  readonly onProgress?: ((progress: MergePartiallyProgress) => void) | undefined;
}

/** Progress of {@link mergePartially}. */
export interface MergePartiallyProgress {
  /** Part of the work under way. */
  readonly phase: "discovering" | "matching" | "choosing" | "proving" | "fitting";
  /** Share of the phase that is done, in `[0, 1]`, if it is known. */
  readonly share?: number;
}

/** Defaults of {@link mergePartially}. */
export const MERGE_PARTIALLY_DEFAULTS: {
  readonly width: PartialWidth;
  readonly method: PairSimilarity;
  readonly similarity: PairSimilarity | undefined;
  readonly restarts: number;
} = { width: 1.5, method: "weight", similarity: undefined, restarts: 8 };

/** Result of {@link mergePartially}. */
export interface MergePartiallyResult {
  /** Graph of the merged network, with the names of the graph of the two; its weights are wider. */
  readonly graph: Graph;
  /** The merged network, lazily: its weights under the names of the graph. */
  readonly network: Checkpoint;
  /** Results for each symmetry that is not nested in another. */
  readonly symmetries: readonly MergedSymmetry[];
  /** Numbers of the proof that the wide graph computes the same as the narrow one. */
  readonly proof: WideningProof;
  /** Error of each fitted layer before and after; empty if layers were not fitted. */
  readonly layers: readonly FittedLayer[];
  /** B in the coordinates of A. */
  readonly aligned: Checkpoint;
}

/**
 * Merges two networks of one architecture in part, into a network that is up to twice as wide.
 *
 * The networks are aligned. For each symmetry, the most similar pairs of units are merged, and the others are
 * kept apart: units of A read other units of A and merged units, but not units of B. At width 1 this is the
 * average of the aligned networks. At width 2 it computes the mean of the outputs of both, if every hidden
 * unit can be permuted and kept apart; units that no symmetry moves are averaged at any width. The new graph
 * is proved: every value of a random network that is merged with itself must equal the value in the network
 * alone.
 *
 * Heads are merged or kept apart as a whole. Symmetries whose units are combined without trained weights,
 * such as a residual stream with layer norms, are merged at any width; the result names the node.
 *
 * @param networks - A and B, checkpoints with the graph's names
 * @throws UsageError if activations or `fit` need data, and there are none
 * @throws OutOfRangeError if a width is not in `[1, 2]`, or is for a symmetry that is unknown or cannot be
 *   kept apart
 * @throws UnsupportedError if the wide graph fails the proof
 * @throws MismatchError if a network does not fit the graph
 * @see Stoica et al., ZipIt! Merging models from different tasks without training, 2024, section 4.3
 * @see Nasery et al., PLeaS: merging models with permutations and least squares, 2025, section 3
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { mergePartially } from "@isthmus/fusion";
 * import { readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const merged = await mergePartially(architecture, [a, b], { seed: 0, restarts: 1, width: 1.25 });
 * assert.deepEqual(merged.graph.weights.get("layers.0.weight")?.shape, [640, 784]); // 512 before
 * assert.deepEqual((await merged.network.read("layers.0.weight")).shape, [640, 784]);
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export async function mergePartially(
  architecture: Architecture,
  networks: readonly [Checkpoint, Checkpoint],
  options: MergePartiallyOptions,
): Promise<MergePartiallyResult> {
  const { seed, data, fit, symmetries: discovered, signal, onProgress, ...rest } = options;
  const resolved = resolveOptions("merge in part", MERGE_PARTIALLY_DEFAULTS, rest);
  const { width, method, restarts } = resolved;
  const similarity = resolved.similarity ?? method;
  const { graph, engine } = architecture;
  const report = (phase: MergePartiallyProgress["phase"]) => {
    signal?.throwIfAborted();
    onProgress?.({ phase });
  };
  if (method === "activation" || similarity === "activation") requireData(data);
  if (fit !== undefined && fit.tasks === undefined) requireData(data);
  report("discovering");
  const symmetries = discovered ?? (await discoverSymmetries({ graph, engine }, { signal }));
  report("matching");
  const { aligned } = await align(
    architecture,
    networks,
    method === "activation"
      ? { method, seed, symmetries, signal, data: requireData(data) }
      : { method, seed, symmetries, signal, restarts },
  );
  const [a, b] = networks;
  const inA = permute(at(aligned, 0, "network").alignment, b, wholeSpec(symmetries));
  report("choosing");
  const separable = findSeparable(symmetries, await probeTwice({ graph, engine }, symmetries.batch, signal));
  const alike =
    similarity === "activation"
      ? await activationSimilarity(engine, separable, [a, inA], { data: requireData(data), signal })
      : await weightSimilarity(separable, [a, inA]);
  const chosen = chooseMerged(separable, alike, width);
  const widening = planWidening(separable, chosen.choice);
  const plan = { separable, widening, graph: widenGraph(separable, widening) };
  report("proving");
  const proof = await proveWidening(engine, plan, seed);
  const wide = widenNetwork(plan, [a, inA]);
  const fitted =
    fit === undefined
      ? { network: wide, layers: [] }
      : await fitLayers(
          engine,
          {
            plan,
            wide,
            signal,
            networks: [a, inA],
            data,
            onProgress: (done, total) => onProgress?.({ phase: "fitting", share: done / total }),
          },
          fit,
        );
  return {
    graph: plan.graph,
    ...fitted,
    symmetries: chosen.symmetries,
    proof,
    aligned: inA,
  };
}

function requireData(data: DataSet | undefined): DataSet {
  if (data !== undefined) return data;
  throw new UsageError(
    'Cannot merge in part as activations and "fit" need examples: add "data", or match and choose by "weight" and leave "fit" out',
  );
}
