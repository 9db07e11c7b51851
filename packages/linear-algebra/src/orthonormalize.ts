import { gramMatrix } from "./gram-matrix.ts";
import { invertCholesky } from "./invert-cholesky.ts";
import { convertLike, type Matrix, toFloat64Matrix } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";

/** Options of {@link orthonormalize}. */
export interface OrthonormalizeOptions {
  /**
   * Number of times the columns are made orthonormal: once leaves an error of the squared condition number
   * times 1e-16, twice an error of rounding. @defaultValue 2
   */
  readonly passes?: number;
}

/**
 * Computes an orthonormal basis of the columns of a matrix, by Cholesky factors of its Gram matrix in f64.
 *
 * The first columns of the basis span the first columns of the matrix. A column that depends on earlier ones
 * is zero in the result.
 * @param matrix - `[m, n]`, where `m` should be at least `n`
 * @returns `[m, n]`, of the same element type
 *
 * Source: Yamamoto et al., Roundoff error analysis of the CholeskyQR2 algorithm, 2015. We differ for columns
 * that depend on others, for which their algorithm breaks down.
 */
export async function orthonormalize(
  matrix: Matrix,
  products: MatrixProducts,
  { passes = 2 }: OrthonormalizeOptions = {},
): Promise<Matrix> {
  let basis = toFloat64Matrix(matrix);
  for (let pass = 0; pass < passes; pass++) {
    const gram = await gramMatrix(basis, products);
    basis = await products.multiply(basis, await invertCholesky(gram, products), { transposeRight: true });
  }
  return matrix.data instanceof Float64Array ? basis : convertLike(matrix, basis);
}
