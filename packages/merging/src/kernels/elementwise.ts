import type { Numbers } from "../number-blocks.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import { tableOf } from "./variances.ts";

/**
 * Adds to each element of `base`, in place, the largest change among the networks from the base, scaled; the
 * last one of equally large changes.
 * @param parts - elements of each network
 */
export function takeLargestChange(base: Numbers, parts: readonly Numbers[], scale: number): void {
  const table = tableOf(parts);
  const simd = base instanceof Float32Array ? simdFor(base, table, ...parts) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(base.length);
  simd?.takeLargestChange(table.byteOffset, parts.length, base.byteOffset, scale, count);
  const round = base instanceof Float32Array ? Math.fround : Number;
  const factor = round(scale);
  for (let i = count; i < base.length; i++) {
    const start = base[i]!;
    let largest = 0;
    for (let k = 0; k < parts.length; k++) {
      const change = round(parts[k]![i]! - start);
      // Written so that NaN is taken too, and not hidden.
      if (!(Math.abs(change) < Math.abs(largest))) largest = change;
    }
    // An element that no network changed keeps its bits, also of -0.
    if (largest !== 0) base[i] = start + round(factor * largest);
  }
}

/**
 * Rule by which a change belongs to a task: it is larger than `threshold` times the sum of all other changes.
 */
export interface TallMask {
  /** Factor of the sum of the other changes; the larger it is, the fewer elements belong to a task. */
  readonly threshold: number;
  /** Least number of tasks to which an element must belong to be changed. */
  readonly agreeing: number;
  /** Factor of the changes that are added to the base. */
  readonly scale: number;
}

/**
 * Adds the scaled sum of the changes of all networks to those elements of `base`, in place, that belong to at
 * least `agreeing` tasks. Other elements do not change.
 */
export function takeAgreedChanges(
  base: Numbers,
  parts: readonly Numbers[],
  { threshold, agreeing, scale }: TallMask,
): void {
  for (let i = 0; i < base.length; i++) {
    const start = base[i]!;
    const sum = sumOfChanges(parts, i, start);
    let count = 0;
    for (let k = 0; k < parts.length; k++) if (isOfTask(parts[k]![i]! - start, sum, threshold)) count++;
    if (count >= agreeing) base[i] = start + scale * sum;
    else if (Number.isNaN(sum)) base[i] = sum;
  }
}

/**
 * Adds the scaled sum of the changes of all networks to those elements of `base`, in place, that belong to
 * one task.
 */
export function takeChangesOfTask(
  base: Numbers,
  parts: readonly Numbers[],
  { threshold, task, scale }: Pick<TallMask, "threshold" | "scale"> & { readonly task: number },
): void {
  for (let i = 0; i < base.length; i++) {
    const start = base[i]!;
    const sum = sumOfChanges(parts, i, start);
    if (isOfTask(parts[task]![i]! - start, sum, threshold)) base[i] = start + scale * sum;
    else if (Number.isNaN(sum)) base[i] = sum;
  }
}

function sumOfChanges(parts: readonly Numbers[], i: number, start: number): number {
  let sum = 0;
  for (let k = 0; k < parts.length; k++) sum += parts[k]![i]! - start;
  return sum;
}

function isOfTask(change: number, sum: number, threshold: number): boolean {
  return Math.abs(change) > threshold * Math.abs(sum - change);
}

/**
 * Replaces the first network by the average of all networks, in which each element is weighted by its
 * importance in each network. Networks are added one at a time, so that equal elements stay unchanged, bit
 * for bit.
 * @param importances - importances of the elements of each network; smaller ones than `floor` count as
 *   `floor`
 * @param factors - factor of the importances of each network, positive
 */
export function averageByImportance(
  parts: readonly [Numbers, ...Numbers[]],
  importances: readonly Numbers[],
  factors: readonly number[],
  floor: number,
): void {
  const [mean] = parts;
  for (let i = 0; i < mean.length; i++) {
    let value = mean[i]!;
    let total = Math.max(floor, importances[0]![i]!) * factors[0]!;
    for (let k = 1; k < parts.length; k++) {
      const importance = Math.max(floor, importances[k]![i]!) * factors[k]!;
      total += importance;
      const change = parts[k]![i]! - value;
      // Adding 0 would make a negative zero positive.
      if (change !== 0) value += (importance / total) * change;
    }
    mean[i] = value;
  }
}

/**
 * Adds to each element of `base`, in place, the change of `trained` from `origin` by the share of it that the
 * element lacks: `|trained - base| / (|trained - origin| + |trained - base|)`.
 * @param strength - factor of the change
 */
export function addTrainedDifference(
  base: Numbers,
  trained: Numbers,
  origin: Numbers,
  strength: number,
): void {
  for (let i = 0; i < base.length; i++) {
    const change = trained[i]! - origin[i]!;
    // An element that training did not change keeps its bits, also of -0.
    if (change === 0) continue;
    const lack = Math.abs(trained[i]! - base[i]!);
    base[i] = base[i]! + (strength * change * lack) / (Math.abs(change) + lack);
  }
}
