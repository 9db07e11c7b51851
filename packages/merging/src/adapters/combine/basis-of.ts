import { createMatrix, type Matrix, type MatrixProducts, orthonormalize } from "@isthmus/linear-algebra";

/**
 * Computes an orthonormal basis of the columns of a matrix. For a matrix with more columns than rows, it is
 * the identity, a basis of the whole space.
 */
export async function basisOf(matrix: Matrix, products: MatrixProducts): Promise<Matrix> {
  const { rows, columns, data } = matrix;
  if (columns <= rows) return orthonormalize(matrix, products);
  const identity = createMatrix(rows, rows, data.slice(0, rows ** 2).fill(0));
  for (let i = 0; i < rows; i++) identity.data[i * rows + i] = 1;
  return identity;
}
