import type { Numbers } from "./task-vectors.ts";

/** Added to probabilities, so that a ratio of two is never infinite. */
const LEAST_PROBABILITY = 1e-8;

/** Computes the largest number of a row and the sum of exponentials of differences to it. */
function exponentialSum(row: Numbers): readonly [number, number] {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < row.length; i++) if (row[i]! > largest) largest = row[i]!;
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += Math.exp(row[i]! - largest);
  return [largest, sum];
}

/**
 * Computes the divergence of Kullback and Leibler between the softmax of two rows, in f64:
 * `sum of (p + e) log((p + e) / (q + e))`, `e = 1e-8`. Rounding cannot make it negative.
 */
export function softmaxDivergence(row: Numbers, reference: Numbers): number {
  const [largest, sum] = exponentialSum(row);
  const [largestReference, sumReference] = exponentialSum(reference);
  let divergence = 0;
  for (let i = 0; i < row.length; i++) {
    const p = Math.exp(row[i]! - largest) / sum + LEAST_PROBABILITY;
    const q = Math.exp(reference[i]! - largestReference) / sumReference + LEAST_PROBABILITY;
    divergence += p * Math.log(p / q);
  }
  return Math.max(0, divergence);
}

/** Writes `|values| * factor` for one row, rounded to f32. */
export function sizesTimes(values: Numbers, factor: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.abs(values[i]!) * factor;
}

/** Sets numbers to 0 whose importance is below a threshold. */
export function keepImportant(values: Numbers, importance: Float32Array, threshold: number): void {
  for (let i = 0; i < values.length; i++) values[i] = importance[i]! >= threshold ? values[i]! : 0;
}
