import { EngineError, type Tensor } from "@isthmus/core";
import type { Engine, Session } from "../engine.ts";
import { compareOutputs } from "../evaluate/compare-outputs.ts";
import type { Graph } from "../ir/graph.ts";
import { randomInputs } from "../probe/random-inputs.ts";
import type { BatchPlace } from "./batch-place.ts";
import { batchInputs } from "./follow-batch.ts";
import { joinRows, takeExamples } from "./take-examples.ts";

/** A graph that takes any batch, and the graph of a fixed batch that it was made from. */
export interface FreedGraphs {
  readonly original: Graph;
  readonly freed: Graph;
  /** Examples in the original's batch. */
  readonly batch: number;
  /** Where the batch lies in values of the graphs. */
  readonly places: ReadonlyMap<string, BatchPlace>;
}

/** Options of {@link proveFreed}. */
export interface ProofOptions {
  readonly engine: Engine;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly seed: number;
  /** Largest difference of an output, relative to its largest number. */
  readonly tolerance: number;
  readonly signal: AbortSignal | undefined;
}

type Values = ReadonlyMap<string, Tensor>;

/**
 * Proves by running that a graph which was freed of its batch computes what it did, and that examples are
 * independent of each other: one example, a batch, and two batches and one example more must give for every
 * example the outputs that the original gives for a batch that holds it.
 *
 * @returns undefined if that holds, else what differs
 */
export async function proveFreed(graphs: FreedGraphs, options: ProofOptions): Promise<string | undefined> {
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

/** Makes three random batches; inputs that hold no batch are the same in all. */
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
