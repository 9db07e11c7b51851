import { allocateNumbers } from "./block-memory.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import type { Numbers } from "./task-vectors.ts";

/** Added to probabilities, so that a ratio of two is never infinite. */
const LEAST_PROBABILITY = 1e-8;

/**
 * Computes the divergence of Kullback and Leibler between the softmax of two rows, in f64:
 * `sum of (p + e) log((p + e) / (q + e))`, `e = 1e-8`. Rounding cannot make it negative.
 */
export function softmaxDivergence(row: Numbers, reference: Numbers): number {
  const [exponentials, sum] = exponentialsOf(row);
  const [others, sumOfOthers] = exponentialsOf(reference);
  let divergence = 0;
  for (let i = 0; i < row.length; i++) {
    const p = exponentials[i]! / sum + LEAST_PROBABILITY;
    const q = others[i]! / sumOfOthers + LEAST_PROBABILITY;
    divergence += p * Math.log(p / q);
  }
  return Math.max(0, divergence);
}

/** Computes exponentials of differences to the largest number of a row, and their sum. */
function exponentialsOf(row: Numbers): readonly [Numbers, number] {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < row.length; i++) if (row[i]! > largest) largest = row[i]!;
  const exponentials = allocateNumbers(true, row.length);
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    exponentials[i] = Math.exp(row[i]! - largest);
    sum += exponentials[i]!;
  }
  return [exponentials, sum];
}

/** Writes `|values| * factor` for one row, rounded to f32. */
export function sizesTimes(values: Numbers, factor: number, out: Float32Array): void {
  const simd = values instanceof Float32Array ? simdFor(values, out) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(out.length);
  simd?.sizesTimes(values.byteOffset, factor, out.byteOffset, count);
  for (let i = count; i < out.length; i++) out[i] = Math.abs(values[i]!) * factor;
}

/** Sets numbers to 0 whose importance is below a threshold of f32. */
export function keepImportant(values: Numbers, importance: Float32Array, threshold: number): void {
  const simd = values instanceof Float32Array ? simdFor(values, importance) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  simd?.keepImportant(values.byteOffset, importance.byteOffset, threshold, count);
  for (let i = count; i < values.length; i++) values[i] = importance[i]! >= threshold ? values[i]! : 0;
}
