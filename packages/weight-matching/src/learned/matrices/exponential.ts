import { times } from "./square-matrices.ts";

/** Norm up to which the series is summed without halving: the rest after power 13 is then below 1e-15. */
const SMALL = 0.5;

/** Norm up to which powers up to 9 are enough, with two products less. */
const TINY = 0.14;

/** The exponentials of a matrix and of its negative, `[size, size]` each. */
export interface Exponentials {
  /** Exponential of the matrix itself. */
  readonly forward: Float64Array;
  /** Exponential of the negative matrix, which is the inverse of `forward`. */
  readonly back: Float64Array;
}

/** Computes the exponential of a matrix, as {@link exponentials} does. */
export function exponential(matrix: Float64Array, size: number): Float64Array {
  return exponentials(matrix, size).forward;
}

/**
 * Computes the exponentials of a matrix and of its negative by their series, after halving the matrix until
 * it is small; the results are squared as often.
 *
 * Even and odd powers are summed apart, as polynomials of the square: their sum is one exponential, their
 * difference the other, by seven products for both, or five.
 *
 * @param matrix - `[size, size]`, row-major, f64
 */
export function exponentials(matrix: Float64Array, size: number): Exponentials {
  let norm = 0;
  for (const value of matrix) norm += value * value;
  const halvings = Math.max(0, Math.ceil(Math.log2(Math.sqrt(norm) / SMALL)));
  const share = 2 ** -halvings;
  const x = matrix.map((value) => value * share);
  const square = times(x, x, size);
  const fourth = times(square, square, size);
  const isTiny = Math.sqrt(norm) <= TINY;
  const [even, odd] = [0, 1].map((first) => {
    const top = first + (isTiny ? 4 : 8);
    let sum = polynomial([square, fourth], top, size, coefficient(top + 4));
    for (let k = top - 4; k >= 0; k -= 4) sum = polynomial([square, times(fourth, sum, size)], k, size);
    return sum;
  }) as [Float64Array, Float64Array];
  const oddPowers = times(x, odd, size);
  let forward: Float64Array = new Float64Array(size * size);
  let back: Float64Array = new Float64Array(size * size);
  for (let i = 0; i < even.length; i++) {
    forward[i] = (even[i] as number) + (oddPowers[i] as number);
    back[i] = (even[i] as number) - (oddPowers[i] as number);
  }
  for (let k = 0; k < halvings; k++) {
    forward = times(forward, forward, size);
    back = times(back, back, size);
  }
  return { forward, back };
}

/** Computes `c_k + c_(k+2) square + factor rest`, with the coefficients of the series. */
function polynomial(
  [square, rest]: readonly [Float64Array, Float64Array],
  k: number,
  size: number,
  factor = 1,
): Float64Array {
  const [constant, linear] = [coefficient(k), coefficient(k + 2)];
  const sum = new Float64Array(size * size);
  for (let i = 0; i < sum.length; i++) {
    sum[i] = linear * (square[i] as number) + factor * (rest[i] as number);
  }
  for (let i = 0; i < size; i++) sum[i * size + i] = (sum[i * size + i] as number) + constant;
  return sum;
}

/** Computes `1 / k!`. */
function coefficient(k: number): number {
  let product = 1;
  for (let factor = 2; factor <= k; factor++) product *= factor;
  return 1 / product;
}
