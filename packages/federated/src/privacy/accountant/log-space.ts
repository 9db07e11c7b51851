/** Returns `log(exp(x) + exp(y))`. */
export function logAdd(x: number, y: number): number {
  const [small, large] = x < y ? [x, y] : [y, x];
  // Both may be minus infinity, whose difference is not a number.
  return small === Number.NEGATIVE_INFINITY ? large : large + Math.log1p(Math.exp(small - large));
}

/**
 * Value from which on the continued fraction converges in some dozens of steps, and below which the series
 * does.
 */
const SERIES_END = 1.5;

/**
 * Returns the logarithm of the complementary error function, also if the function itself is too small for a
 * number: the series of erf below 1.5, the continued fraction of erfc above.
 * @see Abramowitz and Stegun, 7.1.6 and 7.1.14
 */
export function logErfc(x: number): number {
  if (x < 0) return Math.log(2 - Math.exp(logErfc(-x)));
  if (x < SERIES_END) {
    let term = (2 / Math.sqrt(Math.PI)) * x * Math.exp(-x * x);
    let sum = term;
    for (let n = 1; term > sum * 2 ** -54; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return Math.log1p(-sum);
  }
  // The fraction is evaluated from its end, as the number of steps that suffices is known: 200 / x^2 at 1.5
  // is 89.
  let tail = 0;
  for (let n = Math.ceil(20 + 200 / (x * x)); n >= 1; n--) tail = n / 2 / (x + tail);
  return -x * x - Math.log(Math.PI) / 2 - Math.log(x + tail);
}
