/** Number of bins of confidence. */
const BINS = 15;

/** Examples whose confidence lies in one of 15 bins of equal width. */
export interface ConfidenceBin {
  /** Number of examples in the bin, at least 1. */
  readonly examples: number;
  /** Mean confidence of the bin's examples. */
  readonly confidence: number;
  /** Share of the bin's examples that are classified correctly. */
  readonly accuracy: number;
}

/**
 * Sorts examples into 15 bins of equal width by their confidence. A bin includes its upper bound; the first
 * bin also includes 0. Examples whose confidence is NaN are in no bin.
 * @param confidences - the largest probability of each example, in `[0, 1]`
 * @param correct - 1 for each example that is classified correctly, else 0
 * @returns the bins that have examples, rising
 */
export function binConfidences(confidences: ArrayLike<number>, correct: ArrayLike<number>): ConfidenceBin[] {
  const [examples, confident, right] = [0, 0, 0].map(() => new Float64Array(BINS)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i] as number;
    if (Number.isNaN(confidence)) continue;
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1));
    examples[bin] = (examples[bin] as number) + 1;
    confident[bin] = (confident[bin] as number) + confidence;
    right[bin] = (right[bin] as number) + (correct[i] as number);
  }
  return [...examples].flatMap((count, bin) =>
    count === 0
      ? []
      : [
          {
            examples: count,
            confidence: (confident[bin] as number) / count,
            accuracy: (right[bin] as number) / count,
          },
        ],
  );
}

/**
 * Computes the expected calibration error: the mean over examples of the absolute difference between the
 * accuracy and the mean confidence of their bin, in 15 bins of equal width, see {@link binConfidences}.
 *
 * @param confidences - the largest probability of each example, in `[0, 1]`
 * @param correct - 1 for each example that is classified correctly, else 0
 * @returns a number in `[0, 1]`; NaN if there are no examples, or a confidence is NaN
 * @see Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks, 2017, equation 3
 */
export function calibrationError(confidences: ArrayLike<number>, correct: ArrayLike<number>): number {
  const bins = binConfidences(confidences, correct);
  const binned = bins.reduce((sum, { examples }) => sum + examples, 0);
  if (binned < confidences.length) return Number.NaN;
  const gaps = bins.map(({ examples, confidence, accuracy }) => examples * Math.abs(accuracy - confidence));
  return gaps.reduce((sum, gap) => sum + gap, 0) / confidences.length;
}
