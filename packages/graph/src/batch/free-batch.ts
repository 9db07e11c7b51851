import { at, type Checkpoint, resolveOptions } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import type { Graph } from "../ir/graph.ts";
import { type Probe, probeGraph } from "../probe/probe-graph.ts";
import { randomWeights } from "../probe/random-weights.ts";
import { MERGE_CHOICES } from "./batch-place.ts";
import { fixedBatch, followBatch } from "./follow-batch.ts";
import { freeGraph } from "./free-graph.ts";
import { type ProofOptions, proveFreed } from "./prove-freed.ts";

/** Options of {@link freeBatch}. */
export interface FreeBatchOptions {
  /**
   * A network of the graph to prove the result with, where constants of the graph belong to that network.
   * @defaultValue random weights
   */
  readonly weights?: Checkpoint | undefined;
  /** Seed of random inputs and weights. @defaultValue 0 */
  readonly seed?: number;
  /** Largest difference of an output, relative to its largest number. @defaultValue 1e-4 */
  readonly tolerance?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link freeBatch}. */
export const FREE_BATCH_DEFAULTS: Required<FreeBatchOptions> = {
  weights: undefined,
  seed: 0,
  tolerance: 1e-4,
  signal: undefined,
};

/** Result of {@link freeBatch}: a graph, and whether it takes any number of examples. */
export interface FreedBatch {
  /** The graph for any batch where that could be proved, else the graph as it was. */
  readonly graph: Graph;
  /** Examples of the batch that the graph was exported for; absent where it took any already. */
  readonly exportedBatch?: number;
  /** Why the graph keeps its batch; absent where it takes any. */
  readonly reason?: string;
}

/**
 * Makes a graph that was exported for one batch size take any: `torch.onnx.export(model, (x,), file)`
 * fixes the batch to that of `x`.
 *
 * The batch is followed through every operator. Where the exporter wrote it down, in shapes, as an expanded
 * class token, or merged with other axes, the graph is rewritten. The result is proved by running: every
 * example must have the outputs that it has in the original graph, alone, in a batch, and in two batches and
 * a part of one. A graph in which examples depend on each other stays as it is.
 *
 * Nothing is run where the batch is symbolic already.
 *
 * @throws EngineError if the engine cannot run the original graph
 * @throws MismatchError if `weights` do not fit the graph
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { freeBatch } from "@isthmus/graph";
 * import { readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * // The graph as it would be exported from one example, without a dynamic batch.
 * const inputs = graph.inputs.map((input) => ({ ...input, shape: [1, 1, 28, 28] }));
 * const freed = await freeBatch({ graph: { ...graph, inputs }, engine: createOnnxRuntimeEngine() });
 * assert.equal(freed.exportedBatch, 1);
 * assert.deepEqual(freed.graph.inputs[0]?.shape, ["batch", 1, 28, 28]);
 * ```
 */
export async function freeBatch(
  { graph, engine }: Architecture,
  options: FreeBatchOptions = {},
): Promise<FreedBatch> {
  const { weights, seed, tolerance, signal } = resolveOptions("free a batch", FREE_BATCH_DEFAULTS, options);
  const batch = fixedBatch(graph);
  if (batch === undefined) return { graph };
  const unchanged = (reason: string): FreedBatch => ({ graph, exportedBatch: batch, reason });
  const open = graph.inputs.flatMap(({ shape = [] }) => shape.filter((extent) => typeof extent === "string"));
  if (open.length > 0) return unchanged(`other extents are not fixed, such as "${open[0]}"`);
  const probe = await probeGraph({ graph, engine }, { batch, ...(signal === undefined ? {} : { signal }) });
  const tensors = weights === undefined ? randomWeights(graph, seed) : await bindWeights(graph, weights);
  const proof = { engine, weights: tensors, seed, tolerance, signal };
  const reasons: string[] = [];
  for (const choice of batch === 1 ? MERGE_CHOICES : MERGE_CHOICES.slice(0, 1)) {
    const attempt = await tryToFree(graph, { probe, batch, choice }, proof);
    if (typeof attempt !== "string") return { graph: attempt, exportedBatch: batch };
    reasons.push(attempt);
  }
  return unchanged(at(reasons, 0, "reason"));
}

/** Frees a graph by one choice among axes; returns the reason if that fails. */
async function tryToFree(
  graph: Graph,
  { probe, ...options }: { readonly probe: Probe } & Parameters<typeof followBatch>[2],
  proof: ProofOptions,
): Promise<Graph | string> {
  const { batch } = options;
  const followed = followBatch(graph, probe, options);
  const { places, lost } = followed;
  const unknown = graph.outputs.map(({ name }) => lost.get(name)).find((reason) => reason !== undefined);
  if (unknown !== undefined) return unknown;
  if (!graph.outputs.some(({ name }) => places.has(name))) return "no output has a part for each example";
  const freed = freeGraph(graph, probe, batch, followed);
  return (await proveFreed({ original: graph, freed, batch, places }, proof)) ?? freed;
}
