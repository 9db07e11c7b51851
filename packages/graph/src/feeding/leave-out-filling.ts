import { asFloat32, at, type Tensor, UnsupportedError, UsageError } from "@isthmus/core";
import type { BatchPlace } from "../batch/batch-place.ts";
import { batchInputs, followBatch } from "../batch/follow-batch.ts";
import { joinRows, takeExamples } from "../batch/take-examples.ts";
import type { Engine } from "../engine.ts";
import type { Graph } from "../ir/graph.ts";
import { probeGraph } from "../probe/probe-graph.ts";
import { randomInputs } from "../probe/random-inputs.ts";
import { randomWeights } from "../probe/random-weights.ts";
import { runAll } from "../probe/run-all.ts";
import type { FedBatch, FeedPlan } from "./plan-feeds.ts";

/** Removes rows that only fill up a batch from a value of the batch. */
export type LeaveOutFilling = (
  name: string,
  value: Tensor,
  fed: Pick<FedBatch, "examples" | "rows">,
) => Tensor;

/** Place of a batch with one row for each example. */
const FIRST_AXIS: BatchPlace = { axis: 0, outer: 1, inner: 1 };

/**
 * Prepares removing the filling from values inside a graph, so that measurements of them concern only the
 * examples. The position of the batch in a value is followed through operators, and found by running if an
 * operator has no rule. Nothing is done if no batch is filled up.
 *
 * @param attempt - name of the attempt for messages, for example `measure activations`
 * @param plan - plan by which the graph is fed
 * @returns a function that throws UnsupportedError if it is unknown which part of a value belongs to which
 *   example
 * @throws EngineError if the engine cannot run the graph
 */
export async function createLeaveOutFilling(
  attempt: string,
  { graph, engine }: { readonly graph: Graph; readonly engine: Engine },
  { fixedBatch: batch, ranges }: Pick<FeedPlan, "fixedBatch" | "ranges">,
): Promise<LeaveOutFilling> {
  const last = ranges.at(-1);
  const isFilled = batch !== undefined && last !== undefined && last.end - last.begin < batch;
  if (!isFilled) return (_, value) => value;
  const probe = await probeGraph({ graph, engine }, { batch });
  const { places, lost } = followBatch(graph, probe, { batch, choice: "changed" });
  const rows: ReadonlySet<string> =
    lost.size === 0 ? new Set() : await proveRows({ graph, engine, batch, names: [...lost.keys()] });
  return (name, value, { examples, rows: fed }) => {
    if (examples === fed) return value;
    const reason = lost.get(name);
    const place = rows.has(name) ? FIRST_AXIS : places.get(name);
    if (reason !== undefined && place === undefined) {
      throw new UnsupportedError(
        `Cannot ${attempt} with graph "${graph.name}" as it takes batches of ${batch} and the last one of ${examples} is filled up, which must be left out of "${name}" again: which part of it belongs to which example is not known, ${reason}; take a multiple of ${batch} examples, or export the graph with a dynamic batch`,
        { feature: name },
      );
    }
    return place === undefined ? value : takeExamples(value, place, { begin: 0, end: examples });
  };
}

/** Graph that is run to find the values with one row for each example. */
interface RowsTask {
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
 * first axis, if no rule decides: if any one example is replaced by another, all other rows must stay the
 * same.
 *
 * @returns names of the values that have such rows
 */
async function proveRows({ graph, engine, batch, names }: RowsTask): Promise<ReadonlySet<string>> {
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
