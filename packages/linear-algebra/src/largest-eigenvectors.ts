import { OutOfRangeError } from "@isthmus/core";
import { applyReflections } from "./eigen/apply-reflections.ts";
import { tridiagonalEigen } from "./eigen/tridiagonal-eigen.ts";
import { tridiagonalize } from "./eigen/tridiagonalize.ts";
import { combineInto, transposeInto } from "./kernels/copies.ts";
import { convertLike, type Matrix } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import type { SymmetricEigen } from "./symmetric-eigen.ts";

/**
 * Computes all eigenvalues of a symmetric matrix and the eigenvectors of the largest, in f64: reflections to
 * three diagonals, which are diagonalized by halves; most of the work is products.
 * @param matrix - `[n, n]`; only its symmetric part counts
 * @param count - eigenvectors that are computed; at most `n` are
 * @returns `values` `[n]` and `vectors` `[n, count]`
 * @throws OutOfRangeError if it is not square
 */
export async function largestEigenvectors(
  matrix: Matrix,
  count: number,
  products: MatrixProducts,
): Promise<SymmetricEigen> {
  const { rows: n, columns, data } = matrix;
  if (n !== columns) {
    throw new OutOfRangeError(
      `Cannot compute eigenvalues of a ${n} x ${columns} matrix as it must be square`,
    );
  }
  const width = Math.min(n, count);
  const symmetric = new Float64Array(n * n);
  transposeInto(data, { rows: n, columns: n }, symmetric);
  combineInto(data, 0.5, { y: symmetric, shift: 0.5 }, symmetric);
  const three = await tridiagonalize({ rows: n, columns: n, data: symmetric }, products);
  const { values, vectors: rows } = await tridiagonalEigen(three, width, products);
  const vectors = new Float64Array(n * width);
  transposeInto(rows.data, { rows: width, columns: n }, vectors);
  const turned = { rows: n, columns: width, data: vectors };
  await applyReflections(turned, three.reflections, products);
  reverseColumns(turned);
  return { values: values.reverse(), vectors: convertLike(matrix, turned) };
}

/** Puts the columns of a matrix in the opposite order, in place. */
function reverseColumns({ rows, columns, data }: Matrix): void {
  for (let i = 0; i < rows; i++) data.subarray(i * columns, (i + 1) * columns).reverse();
}
