/**
 * Spearman's rank correlation: the correlation of ranks, equal values sharing the mean of theirs.
 *
 * @returns in `[-1, 1]`; NaN where fewer than two pairs are given, all values of a side are equal, or one is NaN
 */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number {
  if ([...x, ...y].some(Number.isNaN)) return Number.NaN;
  const [a, b] = [ranks(x), ranks(y)];
  const mean = (x.length - 1) / 2;
  let [both, own, other] = [0, 0, 0];
  a.forEach((rank, i) => {
    const [u, v] = [rank - mean, (b[i] ?? 0) - mean];
    both += u * v;
    own += u * u;
    other += v * v;
  });
  return own > 0 && other > 0 ? both / Math.sqrt(own * other) : Number.NaN;
}

/** Ranks from 0; each is the mean of how many are below and how many are not above, itself aside. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2;
  });
}
