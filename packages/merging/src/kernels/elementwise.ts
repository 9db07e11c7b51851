import type { Numbers } from "../number-blocks.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import { tableOf } from "./variances.ts";

/**
 * Writes over `base` the base plus, for each element, the largest of the changes of the networks from it,
 * scaled; of equally large ones the last.
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
    // An element that no network changed stays as it is, -0 included.
    if (largest !== 0) base[i] = start + round(factor * largest);
  }
}

/**
 * Rule by which a change belongs to a task: it is larger than `threshold` times all other changes together.
 */
export interface TallMask {
  readonly threshold: number;
  /** How many tasks an element must belong to, to be changed. */
  readonly agreeing: number;
  readonly scale: number;
}

/**
 * Writes over `base` the base plus the sum of the changes of all networks, scaled, where enough of them need
 * it; the others stay as they are.
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

/** Writes over `base` the base plus the sum of the changes of all networks, where one of them needs it. */
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
 * Writes over the first network the average of all, each element weighted by its importance in each network;
 * built up one network at a time, so that equal elements stay unchanged, bit for bit.
 * @param importances - of each network, at least `floor` is taken
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
