import { at, type Checkpoint, entry } from "@isthmus/core";
import type { MatrixData } from "@isthmus/linear-algebra";
import {
  addDisplacement,
  borrowDisplacementSum,
  type DisplacementSum,
  SUM_ELEMENTS,
} from "../kernels/displacement-sum.ts";
import { coordinateMedian } from "../rules/coordinate-median.ts";
import { areAllFinite } from "./assert-finite-range.ts";
import type { AggregatePlan, Combination } from "./plan-aggregate.ts";
import { readDisplacement, readFloat64Range, type TensorRange } from "./ranges.ts";

/**
 * Combines the displacements of all clients in a range, summed in the order of their names.
 * @param global - the range of the global network
 * @param carried - aggregate of the round before
 * @returns the change, `[elements]`
 */
export async function combineRange(
  { updates }: Pick<AggregatePlan, "updates">,
  combination: Combination,
  range: TensorRange,
  { global, carried }: { readonly global: Float64Array; readonly carried: Checkpoint | undefined },
): Promise<Float64Array> {
  if (combination.kind === "linear") return sumRange({ updates }, combination, range, { global, carried });
  const change = new Float64Array(global.length);
  const displacements = await Promise.all(updates.map((update) => readDisplacement(update, range, global)));
  // The order of NaN among numbers depends on the sorting algorithm, so values with NaN have no aggregate.
  if (!displacements.every(areAllFinite)) return change.fill(Number.NaN);
  const values = combination.mixture.map((row) => mixRow(row, displacements));
  combination.rule.combineInto(values, combination.parameters, change);
  return change;
}

/** Sums the displacements of a range, each multiplied by its client's weight. */
async function sumRange(
  { updates }: Pick<AggregatePlan, "updates">,
  { weights: common, byTensor, carried: carriedWeight }: Extract<Combination, { readonly kind: "linear" }>,
  { name, begin, end }: TensorRange,
  { global, carried }: { readonly global: Float64Array; readonly carried: Checkpoint | undefined },
): Promise<Float64Array> {
  const change = new Float64Array(global.length);
  const weights = byTensor?.get(name) ?? common;
  const parts = updates.map((update, k) => ({ update, weight: at(weights, k) }));
  const read = parts.filter(({ weight }) => weight !== 0);
  const sum = borrowDisplacementSum();
  try {
    for (let first = begin; first < end; first += SUM_ELEMENTS) {
      const range = { name, begin: first, end: Math.min(first + SUM_ELEMENTS, end) };
      const count = range.end - first;
      const start = global.subarray(first - begin, range.end - begin);
      sum.base.set(start);
      sum.sums.fill(0, 0, count);
      for (const { update, weight } of read) {
        if (update.base !== undefined) sum.base.set(await readFloat64Range(update.base, range));
        await addClient(update.network, range, { sum, weight });
        if (update.base !== undefined) sum.base.set(start);
      }
      change.set(sum.sums.subarray(0, count), first - begin);
    }
  } finally {
    sum.release();
  }
  if (carried !== undefined && carriedWeight !== 0) {
    addScaled(await readFloat64Range(carried, { name, begin, end }), carriedWeight, change);
  }
  return change;
}

/** Adds a client's displacement in a range of at most `SUM_ELEMENTS` elements to the sum. */
async function addClient(
  network: Checkpoint,
  range: TensorRange,
  { sum, weight }: { readonly sum: DisplacementSum; readonly weight: number },
): Promise<void> {
  const { dtype } = entry(network.tensors, range.name, "tensor");
  const count = range.end - range.begin;
  if (dtype === "f32") {
    // Elements of f32 are read directly into the memory of the sum: no copy is made.
    await network.readRangeInto(range.name, range.begin, sum.values.subarray(0, count));
    sum.addValues(weight, count);
  } else {
    addDisplacement(await readFloat64Range(network, range), sum.base, weight, sum.sums);
  }
}

/**
 * Combines the displacements of a range of an averaged tensor: their mean, weighted by the clients' shares of
 * the examples, or, if the rule resists attackers, their median in each element.
 */
export function averageRange(
  plan: Pick<AggregatePlan, "updates" | "shares" | "options">,
  range: TensorRange,
  global: Float64Array,
): Promise<Float64Array> {
  return combineRange(plan, averagingOf(plan), range, { global, carried: undefined });
}

/** Returns the way in which averaged tensors are combined. */
function averagingOf({ updates, shares, options }: Pick<AggregatePlan, "updates" | "shares" | "options">) {
  if (options.rule.of.robust !== true) return { kind: "linear", weights: shares, carried: 0 } as const;
  const mixture = updates.map((_, i) => updates.map((_, k) => Number(i === k)));
  return { kind: "coordinates", mixture, rule: coordinateMedian, parameters: {} } as const;
}

/**
 * Counts the arrays of a range's length that {@link combineRange} and its caller hold at once, for the limit
 * on memory.
 */
export function arraysHeld({ updates, options }: AggregatePlan, combination: Combination): number {
  // The global range, stored and converted, the change, and states.
  const shared = 10;
  if (combination.kind === "coordinates") return shared + updates.length + combination.mixture.length;
  // A robust rule that is linear takes the median of averaged tensors.
  return options.rule.of.robust === true ? shared + 2 * updates.length : shared;
}

/** Computes a weighted sum of arrays of equal lengths. */
export function mixRow(row: readonly number[], displacements: readonly Float64Array[]): Float64Array {
  const values = new Float64Array(at(displacements, 0, "update").length);
  for (const [k, displacement] of displacements.entries()) {
    if (at(row, k) !== 0) addScaled(displacement, at(row, k), values);
  }
  return values;
}

/** Adds an array, multiplied by a number, to another one. */
export function addScaled(source: MatrixData, factor: number, out: MatrixData): void {
  for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + factor * (source[i] as number);
}
