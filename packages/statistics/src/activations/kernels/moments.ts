/** Count, means and centred sums of squares of samples of units. */
export interface Moments {
  /** Number of samples of each unit. */
  readonly count: number;
  /** Means, `[units]`. */
  readonly mean: Float64Array;
  /** Sums of `(x - mean)^2`, `[units]`. */
  readonly squares: Float64Array;
}

/** Returns the first sample of each unit of `data [outer, units, inner]`. */
export function firstSamples(data: Float32Array, units: number, inner: number): Float64Array {
  const first = new Float64Array(units);
  for (let u = 0; u < units; u++) first[u] = data[u * inner]!;
  return first;
}

/**
 * Returns the moments of samples from sums about a shift.
 * @param sums - sums of `x - shift`, `[units]`
 * @param squares - sums of `(x - shift)^2`, `[units]`
 */
export function momentsAbout(
  shift: Float64Array,
  {
    count,
    sums,
    squares,
  }: { readonly count: number; readonly sums: Float64Array; readonly squares: Float64Array },
): Moments {
  const mean = new Float64Array(sums.length);
  const centred = new Float64Array(sums.length);
  for (let u = 0; u < sums.length; u++) {
    mean[u] = shift[u]! + sums[u]! / count;
    centred[u] = Math.max(0, squares[u]! - sums[u]! ** 2 / count);
  }
  return { count, mean, squares: centred };
}

/**
 * Merges the moments of two sets of samples.
 * @see Chan, Golub and LeVeque, Algorithms for computing the sample variance, 1983, equation 2.1
 */
export function mergeMoments(before: Moments, added: Moments): Moments {
  const count = before.count + added.count;
  const share = added.count / count;
  const mean = new Float64Array(before.mean.length);
  const squares = new Float64Array(before.mean.length);
  for (let u = 0; u < mean.length; u++) {
    const difference = added.mean[u]! - before.mean[u]!;
    squares[u] = before.squares[u]! + added.squares[u]! + difference * difference * before.count * share;
    mean[u] = before.mean[u]! + difference * share;
  }
  return { count, mean, squares };
}
