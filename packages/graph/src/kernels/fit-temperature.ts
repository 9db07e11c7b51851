/** Logits of some rows with their labels. */
export interface LabelledLogits {
  /** Logits, `[rows, classes]`, row-major. */
  readonly logits: Float32Array;
  /** Labels, `[rows]`, in `[0, classes)`; rows with a negative label do not count. */
  readonly labels: Int32Array;
  /** Weight of each row, `[rows]`, with any sum. @defaultValue equal weights */
  readonly weights?: ArrayLike<number>;
}

/** Ends of the range in which temperatures are searched. */
export const TEMPERATURE_RANGE = { low: 1e-3, high: 1e3 } as const;

/** Change of the temperature's logarithm at which the search ends. */
const PRECISION = 1e-10;
/** Maximum number of steps; bisection alone reaches the precision within 38. */
const MOST_STEPS = 100;

/**
 * Fits the softmax temperature of some logits: the number by which all logits are divided to minimize their
 * mean cross-entropy with the labels (temperature scaling, Guo et al., On Calibration of Modern Neural
 * Networks, 2017, section 4.2).
 *
 * Cross-entropy is convex in the inverse of the temperature, so the minimum is the zero of its derivative,
 * which Newton's method finds in the temperature's logarithm, inside a bracket that bisection narrows if a
 * step leaves it. All sums are in f64 and in order: the same logits give the same bits. The predicted class
 * does not depend on the temperature, so errors do not, either.
 *
 * @param batches - rows of the same number of classes
 * @returns temperature in {@link TEMPERATURE_RANGE}; its lower end if all rows are right, so that less is
 *   always better, and its upper end if chance is better; 1 if the temperature makes no difference; NaN if a
 *   logit is NaN
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fitTemperature } from "@isthmus/graph";
 *
 * // Sure of class 0 by 88 %, but right in three of four cases.
 * const logits = Float32Array.of(2, 0, 2, 0, 2, 0, 2, 0);
 * const temperature = fitTemperature([{ logits, labels: Int32Array.of(0, 0, 0, 1) }]);
 * assert(Math.abs(temperature - 2 / Math.log(3)) < 1e-9);
 * ```
 */
export function fitTemperature(batches: readonly LabelledLogits[]): number {
  // The search is over u = log(1 / temperature).
  let [low, high] = [-Math.log(TEMPERATURE_RANGE.high), -Math.log(TEMPERATURE_RANGE.low)];
  let u = 0;
  let { slope, curvature } = slopeAt(batches, u);
  if (Number.isNaN(slope)) return Number.NaN;
  // If all logits are equal, the loss does not depend on the temperature.
  if (slope === 0) return 1;
  if (slope > 0 && slopeAt(batches, low).slope >= 0) return TEMPERATURE_RANGE.high;
  if (slope < 0 && slopeAt(batches, high).slope <= 0) return TEMPERATURE_RANGE.low;
  for (let step = 0; step < MOST_STEPS && slope !== 0; step++) {
    if (slope < 0) low = u;
    else high = u;
    const newton = u - slope / curvature;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    const change = Math.abs(next - u);
    u = next;
    if (change <= PRECISION) break;
    ({ slope, curvature } = slopeAt(batches, u));
  }
  return Math.exp(-u);
}

/**
 * Computes the first and second derivative of the cross-entropy by `u = log(1 / temperature)`, times the sum
 * of the weights. With `s = exp(u)` they are `s f'(s)` and `s^2 f''(s) + s f'(s)`, where `f'` is the mean of
 * logits under the softmax less the label's logit, and `f''` their variance.
 */
function slopeAt(batches: readonly LabelledLogits[], u: number): { slope: number; curvature: number } {
  const scale = Math.exp(u);
  let first = 0;
  let second = 0;
  for (const { logits, labels, weights } of batches) {
    const classes = logits.length / labels.length;
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!;
      if (label < 0) continue;
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const weight = weights === undefined ? 1 : weights[i]!;
      const max = row.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
      let [total, sum, squares] = [0, 0, 0];
      for (const logit of row) {
        const below = logit - max;
        const share = Math.exp(below * scale);
        // A class that is ruled out by a logit of -Infinity does not contribute to the mean.
        if (share === 0) continue;
        total += share;
        sum += share * below;
        squares += share * below * below;
      }
      const mean = sum / total;
      first += weight * (mean - (row[label]! - max));
      second += weight * (squares / total - mean * mean);
    }
  }
  return { slope: scale * first, curvature: scale * scale * second + scale * first };
}
