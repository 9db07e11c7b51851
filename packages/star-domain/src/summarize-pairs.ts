import type { PairBarrier, PairGroup } from "./star-result.ts";

/**
 * Computes the mean and the sample standard deviation of the loss barriers of pairs: NaN for the mean of no
 * pairs, and for the deviation of fewer than two.
 */
export function summarizePairs(pairs: readonly PairBarrier[]): PairGroup {
  const mean = pairs.reduce((sum, { loss }) => sum + loss, 0) / pairs.length;
  const squares = pairs.reduce((sum, { loss }) => sum + (loss - mean) ** 2, 0);
  const std = pairs.length < 2 ? Number.NaN : Math.sqrt(squares / (pairs.length - 1));
  return { pairs, mean, std };
}
