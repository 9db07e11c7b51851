import type { PairBarrier, PairGroup } from "./star-result.ts";

/** Mean and spread of the loss barriers of pairs: the mean is NaN where there are none, the spread where there are fewer than two. */
export function summarizePairs(pairs: readonly PairBarrier[]): PairGroup {
  const mean = pairs.reduce((sum, { loss }) => sum + loss, 0) / pairs.length;
  const squares = pairs.reduce((sum, { loss }) => sum + (loss - mean) ** 2, 0);
  const std = pairs.length < 2 ? Number.NaN : Math.sqrt(squares / (pairs.length - 1));
  return { pairs, mean, std };
}
