/** Number of bins of {@link calibrationError}. */
const BINS = 15;

/**
 * The expected calibration error: the mean, over examples, of how far the accuracy of a bin is from its mean confidence, in 15 bins of
 * equal width; a bin holds its upper end, and the first one 0 too.
 *
 * @param confidences - the largest probability of each example, in `[0, 1]`
 * @param right - whether each example is classified rightly, 0 or 1
 * @returns a number in `[0, 1]`; NaN where there are no examples, or a confidence is NaN
 * @see Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks, 2017, equation 3
 */
export function calibrationError(confidences: ArrayLike<number>, right: ArrayLike<number>): number {
  const surplus = new Float64Array(BINS);
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i] as number;
    if (Number.isNaN(confidence)) return Number.NaN;
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1));
    surplus[bin] = (surplus[bin] as number) + (right[i] as number) - confidence;
  }
  return surplus.reduce((sum, value) => sum + Math.abs(value), 0) / confidences.length;
}
