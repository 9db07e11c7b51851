import { eigenSteps, type SymmetricEigen } from "./eigen/eigen-steps.ts";
import type { Matrix } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import { runBy } from "./products/product-steps.ts";

/**
 * Computes all eigenvalues of a symmetric matrix and the eigenvectors of the largest, in f64: reflections to
 * three diagonals, which are diagonalized by halves; most of the work is products.
 * @param matrix - `[n, n]`; only its symmetric part counts
 * @param count - number of eigenvectors; at most `n` are computed
 * @returns `values` `[n]` and `vectors` `[n, count]`
 */
export async function largestEigenvectors(
  matrix: Matrix,
  count: number,
  products: MatrixProducts,
): Promise<SymmetricEigen> {
  return runBy(products, eigenSteps(matrix, count));
}
