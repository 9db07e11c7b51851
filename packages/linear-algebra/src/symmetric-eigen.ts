import { eigenSteps, type SymmetricEigen } from "./eigen/eigen-steps.ts";
import type { Matrix } from "./matrix.ts";
import { runHere } from "./products/product-steps.ts";

/**
 * Computes all eigenvalues and eigenvectors of a symmetric matrix on this thread, in f64: reflections to
 * three diagonals, which are diagonalized by halves.
 *
 * The time grows as `n^3`: about 0.02 s at 256 x 256, 0.7 s at 1024 x 1024.
 * @param matrix - `[n, n]`; only its symmetric part counts
 * @throws OutOfRangeError if it is not square, or an element is not finite
 */
export function symmetricEigen(matrix: Matrix): SymmetricEigen {
  return runHere(eigenSteps(matrix, matrix.rows));
}
