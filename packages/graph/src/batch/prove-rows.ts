import { asFloat32, at, type Tensor, UsageError } from "@isthmus/core";
import type { Engine } from "../engine.ts";
import type { Graph } from "../ir/graph.ts";
import { runAll } from "../probe/probe-graph.ts";
import { randomInputs } from "../probe/random-inputs.ts";
import { randomWeights } from "../probe/random-weights.ts";
import { batchInputs } from "./follow-batch.ts";
import { joinRows, takeExamples } from "./take-examples.ts";

/** Graph that is run to find out which rows belong to which example. */
export interface RowsTask {
  readonly graph: Graph;
  readonly engine: Engine;
  /** Examples of the graph's batch. */
  readonly batch: number;
  /** Names of values in question. */
  readonly names: readonly string[];
}

/** Seeds of the examples, of the examples that replace them, and of the weights. */
const SEEDS = { original: 1, other: 2, weights: 3 };

/** Largest difference of rows that count as equal, relative to the value's largest number. */
const TOLERANCE = 1e-6;

/**
 * Finds out by running which values of a graph of a fixed batch have one row for each example, along their
 * first axis, where no rule says so: whichever example is replaced by another, all other rows stay the same.
 *
 * @returns names of the values that have such rows
 */
export async function proveRows({ graph, engine, batch, names }: RowsTask): Promise<ReadonlySet<string>> {
  const weights = randomWeights(graph, SEEDS.weights);
  const original = randomInputs(graph, batch, SEEDS.original);
  const other = randomInputs(graph, batch, SEEDS.other);
  const run = (inputs: ReadonlyMap<string, Tensor>) =>
    runAll(graph, engine, new Map([...inputs, ...weights]));
  const before = await run(original);
  const proven = new Set(names.filter((name) => before.get(name)?.shape[0] === batch));
  for (let example = 0; example < batch && proven.size > 0; example++) {
    const replaced = new Map(original);
    for (const { name } of batchInputs(graph, batch)) {
      replaced.set(name, replaceRow([original.get(name), other.get(name)], example, batch));
    }
    const after = await run(replaced);
    for (const name of proven) {
      if (!otherRowsStay([before.get(name), after.get(name)], example)) proven.delete(name);
    }
  }
  return proven;
}

/** Returns a batch in which one example comes from another batch. */
function replaceRow(
  [original, other]: readonly [Tensor | undefined, Tensor | undefined],
  example: number,
  batch: number,
): Tensor {
  if (original === undefined || other === undefined)
    throw new UsageError("Cannot replace an example of no batch");
  const rows = (tensor: Tensor, begin: number, end: number) =>
    takeExamples(tensor, { axis: 0, outer: 1, inner: 1 }, { begin, end });
  return joinRows([
    rows(original, 0, example),
    rows(other, example, example + 1),
    rows(original, example + 1, batch),
  ]);
}

/** Checks that all rows but one are the same before and after. */
function otherRowsStay(
  [before, after]: readonly [Tensor | undefined, Tensor | undefined],
  example: number,
): boolean {
  if (before === undefined || after === undefined) return false;
  const [one, two] = [asFloat32(before.data, before.dtype), asFloat32(after.data, after.dtype)];
  const width = one.length / at(before.shape, 0, "axis");
  const largest = one.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return one.every((value, i) => {
    const isReplaced = Math.floor(i / width) === example;
    return isReplaced || Math.abs(value - (two[i] ?? Number.NaN)) <= TOLERANCE * largest;
  });
}
