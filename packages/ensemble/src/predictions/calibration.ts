import { at, sumOf } from "@isthmus/core";

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
  const bins = Array.from({ length: BINS }, () => ({ examples: 0, confident: 0, right: 0 }));
  for (let i = 0; i < confidences.length; i++) {
    const confidence = at(confidences, i, "example");
    if (Number.isNaN(confidence)) continue;
    const place = Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1));
    const bin = at(bins, place, "bin");
    bin.examples += 1;
    bin.confident += confidence;
    bin.right += at(correct, i, "example");
  }
  return bins.flatMap(({ examples, confident, right }) =>
    examples === 0 ? [] : [{ examples, confidence: confident / examples, accuracy: right / examples }],
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
  const binned = sumOf(bins.map(({ examples }) => examples));
  if (binned < confidences.length) return Number.NaN;
  const gaps = bins.map(({ examples, confidence, accuracy }) => examples * Math.abs(accuracy - confidence));
  return sumOf(gaps) / confidences.length;
}
