import { at, type Checkpoint, EngineError, resolveOptions, type Tensor } from "@isthmus/core";
import type { Architecture } from "../architecture.ts";
import type { Engine, Session } from "../engine.ts";
import { compareOutputs } from "../evaluate/compare-outputs.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import type { Graph } from "../ir/graph.ts";
import { type Probe, probeGraph } from "../probe/probe-graph.ts";
import { randomInputs } from "../probe/random-inputs.ts";
import { randomWeights } from "../probe/random-weights.ts";
import { type BatchPlace, MERGE_CHOICES } from "./batch-place.ts";
import { batchInputs, fixedBatch, followBatch } from "./follow-batch.ts";
import { freeGraph } from "./free-graph.ts";
import { joinRows, takeExamples } from "./take-examples.ts";

/** Options of {@link freeBatch}. */
export interface FreeBatchOptions {
  /**
   * Network with which the result is proved, if constants of the graph belong to that network.
   * @defaultValue random weights
   */
  readonly weights?: Checkpoint | undefined;
  /** Seed of random inputs and weights. @defaultValue 0 */
  readonly seed?: number;
  /** Largest difference of an output, relative to its largest number. @defaultValue 1e-4 */
  readonly tolerance?: number;
  /** Signal that stops the proof between two runs. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link freeBatch}. */
const FREE_BATCH_DEFAULTS: Required<FreeBatchOptions> = {
  weights: undefined,
  seed: 0,
  tolerance: 1e-4,
  signal: undefined,
};

/** Result of {@link freeBatch}: a graph, and whether it takes any number of examples. */
export interface FreedBatch {
  /** Graph for any batch if that could be proved, else the original graph. */
  readonly graph: Graph;
  /** Number of examples in the batch that the graph was exported for; absent if it took any batch already. */
  readonly exportedBatch?: number;
  /** Reason why the graph keeps its batch; absent if it takes any batch. */
  readonly reason?: string;
}

/**
 * Makes a graph that was exported for one batch size take any: `torch.onnx.export(model, (x,), file)`
 * fixes the batch to that of `x`.
 *
 * The batch is followed through every operator. The graph is rewritten where the exporter fixed the batch: in
 * shapes, in an expanded class token, or merged with other axes. The result is proved by running: every
 * example must have the outputs that it has in the original graph, alone, in a batch, and in two batches and
 * a part of one. A graph in which examples depend on each other is returned unchanged.
 *
 * Nothing is run if the batch is already symbolic.
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

/** A graph that takes any batch, and the original graph of a fixed batch. */
interface FreedGraphs {
  readonly original: Graph;
  readonly freed: Graph;
  /** Examples in the original's batch. */
  readonly batch: number;
  /** Positions of the batch in values of the graphs. */
  readonly places: ReadonlyMap<string, BatchPlace>;
}

/** Options of {@link proveFreed}. */
interface ProofOptions {
  readonly engine: Engine;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly seed: number;
  /** Largest difference of an output, relative to its largest number. */
  readonly tolerance: number;
  readonly signal: AbortSignal | undefined;
}

type Values = ReadonlyMap<string, Tensor>;

/**
 * Proves by running that a graph without a fixed batch computes the same as the original, and that examples
 * are independent of each other: one example, a batch, and two batches and one example more must give for
 * every example the outputs that the original gives for a batch that holds it.
 *
 * @returns undefined if that holds, else a description of the difference
 */
async function proveFreed(graphs: FreedGraphs, options: ProofOptions): Promise<string | undefined> {
  const { original, freed, batch } = graphs;
  const { engine, signal } = options;
  const session = await engine.load(original);
  let free: Session | undefined;
  try {
    free = await engine.load(freed);
    const batches = randomBatches(graphs, options.seed);
    const expected: Values[] = [];
    for (const inputs of batches) {
      signal?.throwIfAborted();
      expected.push(await session.run(new Map([...options.weights, ...inputs])));
    }
    for (const count of [batch, 1, 2 * batch + 1]) {
      signal?.throwIfAborted();
      const inputs = firstExamples(graphs, batches, count);
      const results = await free.run(new Map([...options.weights, ...inputs]));
      const error = errorOf(graphs, { expected, results, count });
      if (!(error <= options.tolerance)) {
        return `${count === 1 ? "one example gives" : `${count} examples give`} other outputs than batches of ${batch} do, by ${error.toExponential(1)} (relative)`;
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof EngineError) return `the engine refuses it: ${error.message}`;
    throw error;
  } finally {
    await session.release();
    await free?.release();
  }
}

/** Makes three random batches; inputs without a batch are the same in all. */
function randomBatches({ original, batch }: FreedGraphs, seed: number): Values[] {
  const first = randomInputs(original, batch, seed);
  const others = [1, 2].map((number) => randomInputs(original, batch, seed + number));
  const batched = new Set(batchInputs(original, batch).map(({ name }) => name));
  const shared = [...first].filter(([name]) => !batched.has(name));
  return [first, ...others.map((inputs) => new Map([...inputs, ...shared]))];
}

/** Returns the feeds of the first examples of several batches. */
function firstExamples({ original, batch }: FreedGraphs, batches: readonly Values[], count: number): Values {
  const feeds = new Map(batches[0]);
  for (const { name } of batchInputs(original, batch)) {
    const whole = joinRows(batches.flatMap((inputs) => inputs.get(name) ?? []));
    feeds.set(name, takeExamples(whole, { axis: 0, outer: 1, inner: 1 }, { begin: 0, end: count }));
  }
  return feeds;
}

/** Computes the largest relative error of the first `count` examples, batch by batch. */
function errorOf(
  { original, batch, places }: FreedGraphs,
  {
    expected,
    results,
    count,
  }: { readonly expected: readonly Values[]; readonly results: Values; readonly count: number },
): number {
  let largest = 0;
  for (const [number, outputs] of expected.entries()) {
    const begin = number * batch;
    const end = Math.min(begin + batch, count);
    if (begin >= end) break;
    const rows = (values: Values, first: number): Values =>
      new Map(
        [...values].map(([name, tensor]) => {
          const place = places.get(name);
          const range = { begin: first, end: first + end - begin };
          return [name, place === undefined ? tensor : takeExamples(tensor, place, range)];
        }),
      );
    largest = Math.max(largest, compareOutputs(original, rows(outputs, 0), rows(results, begin)).relative);
  }
  return largest;
}
