import { type Matrix, type MatrixProducts, polarFactor } from "@isthmus/linear-algebra";
import { multiplyBy, trace } from "./kernels/traces.ts";

/**
 * Makes all singular values of a matrix equal to their mean.
 *
 * No singular vectors are computed: with the polar factor `P = U V^T`, the sum of the singular values is the
 * inner product of `P` and the matrix.
 */
export async function isotropicFactor(matrix: Matrix, products: MatrixProducts): Promise<Matrix> {
  const factor = await polarFactor(matrix, products);
  multiplyBy(factor.data, trace(factor.data, matrix.data) / Math.min(matrix.rows, matrix.columns));
  return factor;
}
