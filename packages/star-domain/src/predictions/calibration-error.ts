/** Number of bins of {@link calibrationError}. */
const BINS = 15;

/**
 * Computes the expected calibration error: the mean over examples of the distance between accuracy and mean
 * confidence of their bin, in 15 bins of equal width. A bin includes its upper bound; the first one also
 * includes 0.
 *
 * @param confidences - the largest probability of each example, in `[0, 1]`
 * @param correct - 1 for each example that is classified correctly, else 0
 * @returns a number in `[0, 1]`; NaN if there are no examples, or a confidence is NaN
 * @see Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks, 2017, equation 3
 */
export function calibrationError(confidences: ArrayLike<number>, correct: ArrayLike<number>): number {
  const surplus = new Float64Array(BINS);
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i] as number;
    if (Number.isNaN(confidence)) return Number.NaN;
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1));
    surplus[bin] = (surplus[bin] as number) + (correct[i] as number) - confidence;
  }
  return surplus.reduce((sum, value) => sum + Math.abs(value), 0) / confidences.length;
}
