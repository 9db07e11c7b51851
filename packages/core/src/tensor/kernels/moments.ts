/** Sums over numbers, from which statistics are derived; infinities and NaN are counted and left out. */
export interface Moments {
  /** Number of finite numbers. */
  count: number;
  /** Number of infinities and NaN, which all other sums leave out. */
  nonFinite: number;
  /** Number of zeros, of either sign. */
  zeros: number;
  /** Smallest finite number; infinity if there is none. */
  min: number;
  /** Largest finite number; minus infinity if there is none. */
  max: number;
  /** Mean of the finite numbers; 0 if there is none. */
  mean: number;
  /** Sum of squared distances from the mean. */
  spread: number;
  /** Sum of squares. */
  squares: number;
}

/** Sums over two rows of numbers of equal length. */
export interface PairSums {
  /** Largest absolute difference of two corresponding numbers; NaN if any is NaN. */
  largest: number;
  /** Sum of the squared differences. */
  squares: number;
  /** Sum of the squares of the first row. */
  squaresOfA: number;
  /** Sum of the squares of the second row. */
  squaresOfB: number;
  /** Sum of the products of corresponding numbers. */
  product: number;
}

/** Returns empty sums. */
export function emptyMoments(): Moments {
  return { count: 0, nonFinite: 0, zeros: 0, min: Infinity, max: -Infinity, mean: 0, spread: 0, squares: 0 };
}

/**
 * Adds numbers to sums. Mean and spread of the new numbers are computed separately and then combined with the
 * earlier ones, which is exact up to rounding for any number of parts.
 * @see T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance", 1983, eq. 2.1
 */
export function addMoments(sums: Moments, numbers: Float64Array): void {
  let count = 0;
  let total = 0;
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i]!;
    // The difference is 0 only for finite numbers.
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
    // Equal infinities have distance 0.
    const distance = x === y ? 0 : Math.abs(x - y);
    if (!(distance <= sums.largest)) sums.largest = distance;
    sums.squares += distance * distance;
    sums.squaresOfA += x * x;
    sums.squaresOfB += y * y;
    sums.product += x * y;
  }
}
