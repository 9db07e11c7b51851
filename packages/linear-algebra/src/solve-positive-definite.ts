import { at } from "@isthmus/core";
import { invertCholesky } from "./invert-cholesky.ts";
import type { Matrix } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";

/**
 * Solves `matrix * x = right` for a symmetric positive definite matrix in f64, by products: the inverse of
 * its Cholesky factor is applied twice.
 * @param matrix - `[n, n]`, f64
 * @param right - `[n, columns]`, f64
 * @returns x, `[n, columns]`; undefined if the matrix is not positive definite, or singular to rounding
 */
export async function solvePositiveDefinite(
  matrix: Matrix,
  right: Matrix,
  products: MatrixProducts,
): Promise<Matrix | undefined> {
  const inverse = await invertCholesky(matrix, products);
  const n = inverse.columns;
  for (let i = 0; i < n; i++) {
    const pivot = at(inverse.data, i * (n + 1), "pivot");
    if (!(pivot > 0 && Number.isFinite(pivot))) return undefined;
  }
  const half = await products.multiply(inverse, right);
  return products.multiply(inverse, half, { transposeLeft: true });
}
