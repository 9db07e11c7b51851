import { sumOf } from "@isthmus/core";
import { largestEigenvectors, type Matrix, type MatrixProducts, svd } from "@isthmus/linear-algebra";

/** Largest length of the shorter side of a matrix whose singular values are computed to full precision. */
const EXACT = 96;

/**
 * Computes the sum of the singular values of a matrix. If its shorter side is longer than 96, they are roots
 * of eigenvalues of a Gram matrix, so that each has an error of up to 1e-8 of the largest.
 */
export async function sumOfSingularValues(matrix: Matrix, products: MatrixProducts): Promise<number> {
  const isWide = matrix.columns > matrix.rows;
  const side = Math.min(matrix.rows, matrix.columns);
  if (side <= EXACT) return sumOf(svd(matrix).values);
  const gram = await products.multiply(matrix, matrix, {
    transposeLeft: !isWide,
    transposeRight: isWide,
  });
  const { values } = await largestEigenvectors(gram, 0, products);
  const least = Number.EPSILON * side * (values[0] as number);
  return values.reduce((sum, square) => sum + (square > least ? Math.sqrt(square) : 0), 0);
}
