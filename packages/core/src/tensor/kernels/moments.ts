/** Sums over numbers, from which statistics follow; infinities and NaN are counted and left out. */
export interface Moments {
  /** Numbers that are finite. */
  count: number;
  nonFinite: number;
  zeros: number;
  min: number;
  max: number;
  mean: number;
  /** Sum of squared distances to the mean. */
  spread: number;
  /** Sum of squares. */
  squares: number;
}

/** Sums over two rows of numbers of equal length. */
export interface PairSums {
  /** Largest distance of a number to the other; NaN if any is NaN. */
  largest: number;
  /** Sum of the squares of the distances. */
  squares: number;
  squaresOfA: number;
  squaresOfB: number;
  product: number;
}

/** Returns the sums over no numbers. */
export function emptyMoments(): Moments {
  return { count: 0, nonFinite: 0, zeros: 0, min: Infinity, max: -Infinity, mean: 0, spread: 0, squares: 0 };
}

/**
 * Adds numbers to sums. Mean and spread of the numbers are computed by themselves and joined with those
 * before, which is exact to rounding for any number of parts.
 * @see T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", 1983, eq. 2.1
 */
export function addMoments(sums: Moments, numbers: Float64Array): void {
  let count = 0;
  let total = 0;
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i]!;
    // False for infinities and NaN.
    if (x - x !== 0) continue;
    count++;
    total += x;
    if (x === 0) sums.zeros++;
    if (x < sums.min) sums.min = x;
    if (x > sums.max) sums.max = x;
    sums.squares += x * x;
  }
  sums.nonFinite += numbers.length - count;
  if (count === 0) return;
  const mean = total / count;
  let spread = 0;
  for (let i = 0; i < numbers.length; i++) {
    const distance = numbers[i]! - mean;
    if (distance - distance === 0) spread += distance * distance;
  }
  const step = mean - sums.mean;
  const all = sums.count + count;
  sums.spread += spread + (step * step * sums.count * count) / all;
  sums.mean += (step * count) / all;
  sums.count = all;
}

/** Adds two rows of numbers of equal length to sums over pairs. */
export function addPairs(sums: PairSums, a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    // Equal infinities are at no distance.
    const distance = x === y ? 0 : Math.abs(x - y);
    if (!(distance <= sums.largest)) sums.largest = distance;
    sums.squares += distance * distance;
    sums.squaresOfA += x * x;
    sums.squaresOfB += y * y;
    sums.product += x * y;
  }
}
