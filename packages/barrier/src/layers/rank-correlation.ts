import { at } from "@isthmus/core";

/**
 * Computes Spearman's rank correlation: the correlation of ranks, where equal values share the mean of their
 * ranks.
 *
 * @returns a number in `[-1, 1]`; NaN if there are fewer than two pairs, all values of a side are equal, or
 *   one is NaN
 */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number {
  if ([...x, ...y].some(Number.isNaN)) return Number.NaN;
  const [a, b] = [ranks(x), ranks(y)];
  const mean = (x.length - 1) / 2;
  let [covariance, varianceA, varianceB] = [0, 0, 0];
  for (const [i, rank] of a.entries()) {
    const [u, v] = [rank - mean, at(b, i, "rank") - mean];
    covariance += u * v;
    varianceA += u * u;
    varianceB += v * v;
  }
  return varianceA > 0 && varianceB > 0 ? covariance / Math.sqrt(varianceA * varianceB) : Number.NaN;
}

/** Computes the ranks of values from 0; equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2;
  });
}
