import { asFloat32, type Tensor } from "@isthmus/core";
import type { Engine } from "../engine.ts";
import type { Graph } from "../ir/graph.ts";
import { runAll } from "../probe/probe-graph.ts";
import { randomInputs } from "../probe/random-inputs.ts";
import { randomWeights } from "../probe/random-weights.ts";
import { batchInputs } from "./follow-batch.ts";
import { joinRows, takeExamples } from "./take-examples.ts";

/** What is run to find out which rows belong to which example. */
export interface RowsTask {
  readonly graph: Graph;
  readonly engine: Engine;
  /** Examples of the graph's batch. */
  readonly batch: number;
  /** Names of values in question. */
  readonly names: readonly string[];
}

/** Seeds of the examples, of those put in their place, and of the weights. */
const SEEDS = { given: 1, other: 2, weights: 3 };

/** Largest difference of rows that are taken for the same, relative to the value's largest number. */
const TOLERANCE = 1e-6;

/**
 * Finds out by running which values of a graph of a fixed batch have one row for each example, along their first axis, where no rule
 * tells: whichever example is replaced by another, all other rows stay what they are.
 *
 * @returns names of the values of which that holds
 */
export async function proveRows({ graph, engine, batch, names }: RowsTask): Promise<ReadonlySet<string>> {
  const weights = randomWeights(graph, SEEDS.weights);
  const given = randomInputs(graph, batch, SEEDS.given);
  const other = randomInputs(graph, batch, SEEDS.other);
  const run = (inputs: ReadonlyMap<string, Tensor>) =>
    runAll(graph, engine, new Map([...inputs, ...weights]));
  const before = await run(given);
  const proven = new Set(names.filter((name) => before.get(name)?.shape[0] === batch));
  for (let example = 0; example < batch && proven.size > 0; example++) {
    const replaced = new Map(given);
    for (const { name } of batchInputs(graph, batch)) {
      replaced.set(name, replaceRow([given.get(name), other.get(name)], example, batch));
    }
    const after = await run(replaced);
    for (const name of proven) {
      if (!otherRowsStay([before.get(name), after.get(name)], example)) proven.delete(name);
    }
  }
  return proven;
}

/** A batch with one example of another batch. */
function replaceRow(
  [given, other]: readonly [Tensor | undefined, Tensor | undefined],
  example: number,
  batch: number,
): Tensor {
  if (given === undefined || other === undefined)
    throw new TypeError("Cannot replace an example of no batch");
  const rows = (tensor: Tensor, begin: number, end: number) =>
    takeExamples(tensor, { axis: 0, outer: 1, inner: 1 }, { begin, end });
  return joinRows([
    rows(given, 0, example),
    rows(other, example, example + 1),
    rows(given, example + 1, batch),
  ]);
}

function otherRowsStay(
  [before, after]: readonly [Tensor | undefined, Tensor | undefined],
  example: number,
): boolean {
  if (before === undefined || after === undefined) return false;
  const [one, two] = [asFloat32(before.data, before.dtype), asFloat32(after.data, after.dtype)];
  const width = one.length / (before.shape[0] ?? 1);
  const largest = one.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return one.every((value, i) => {
    const isOwn = Math.floor(i / width) === example;
    return isOwn || Math.abs(value - (two[i] ?? Number.NaN)) <= TOLERANCE * largest;
  });
}
