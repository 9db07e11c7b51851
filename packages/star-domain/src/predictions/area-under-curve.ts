/**
 * Computes the area under the ROC curve of a score that separates positives from negatives: the probability
 * that a random positive scores higher than a random negative, where equal scores count half. It is exact, by
 * ranks (Mann and Whitney 1947), in `O(n log n)`.
 *
 * @param positives - scores of the positives, in any order
 * @param negatives - scores of the negatives, in any order
 * @returns a number in `[0, 1]`; null if there are no positives or no negatives, or a score is NaN
 */
export function areaUnderCurve(positives: ArrayLike<number>, negatives: ArrayLike<number>): number | null {
  if (positives.length === 0 || negatives.length === 0) return null;
  const above = Float64Array.from(positives).sort();
  const below = Float64Array.from(negatives).sort();
  // NaN sorts last.
  if (Number.isNaN(above.at(-1)) || Number.isNaN(below.at(-1))) return null;
  let less = 0;
  let lessOrEqual = 0;
  let wins = 0;
  for (const score of above) {
    while (less < below.length && (below[less] as number) < score) less++;
    while (lessOrEqual < below.length && (below[lessOrEqual] as number) <= score) lessOrEqual++;
    wins += (less + lessOrEqual) / 2;
  }
  return wins / (above.length * below.length);
}
