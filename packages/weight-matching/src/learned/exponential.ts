import { createMatrix, multiply } from "@isthmus/linear-algebra";
import { identityMatrix } from "./square-matrices.ts";

/** Norm up to which the series is summed as it is: its rest is then below 1e-15. */
const SMALL = 0.25;
const TERMS = 9;

/**
 * Computes the exponential of a matrix by its series, after halving the matrix until it is small; the result
 * is squared as often.
 *
 * @param matrix - `[size, size]`, row-major, f64
 */
export function exponential(matrix: Float64Array, size: number): Float64Array {
  let norm = 0;
  for (const value of matrix) norm += value * value;
  const halvings = Math.max(0, Math.ceil(Math.log2(Math.sqrt(norm) / SMALL)));
  const scaled = matrix.map((value) => value / 2 ** halvings);
  const x = createMatrix(size, size, scaled);
  // Horner's scheme: 1 + x (1 + x/2 (1 + x/3 (...))).
  let sum = createMatrix(size, size, identityMatrix(size));
  for (let term = TERMS; term >= 1; term--) {
    const next = multiply(x, sum);
    const data = next.data.map((value) => value / term) as Float64Array;
    for (let i = 0; i < size; i++) data[i * size + i] = (data[i * size + i] as number) + 1;
    sum = createMatrix(size, size, data);
  }
  for (let k = 0; k < halvings; k++) sum = multiply(sum, sum);
  return sum.data as Float64Array;
}
