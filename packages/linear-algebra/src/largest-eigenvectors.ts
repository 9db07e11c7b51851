import { OutOfRangeError } from "@isthmus/core";
import { applyReflections } from "./eigen/apply-reflections.ts";
import { createPanelKernel } from "./eigen/panel-kernel.ts";
import { tridiagonalEigen } from "./eigen/tridiagonal-eigen.ts";
import { PANEL, type Tridiagonal, tridiagonalize } from "./eigen/tridiagonalize.ts";
import { combineInto, transposeInto } from "./kernels/copies.ts";
import { convertLike, type Matrix, type MatrixData } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import type { SymmetricEigen } from "./symmetric-eigen.ts";

/**
 * Computes all eigenvalues of a symmetric matrix and the eigenvectors of the largest, in f64: reflections to
 * three diagonals, which are diagonalized by halves; most of the work is products.
 * @param matrix - `[n, n]`; only its symmetric part counts
 * @param count - number of eigenvectors; at most `n` are computed
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
  const kernel = createPanelKernel(n, PANEL);
  transposeInto(data, { rows: n, columns: n }, kernel.data);
  combineInto(data, 0.5, { y: kernel.data, shift: 0.5 }, kernel.data);
  // Neither this function nor the next one keeps the matrix in memory while eigenvectors are computed.
  return eigenOf(
    tridiagonalize(kernel, n, products),
    { count: Math.min(n, count), like: data.slice(0, 0) },
    products,
  );
}

/** Computes eigenvectors, as elements of some type, of a matrix that is being reduced to three diagonals. */
async function eigenOf(
  reduction: Promise<Tridiagonal>,
  { count, like }: { readonly count: number; readonly like: MatrixData },
  products: MatrixProducts,
): Promise<SymmetricEigen> {
  const three = await reduction;
  const n = three.diagonal.length;
  const { values, vectors: rows } = await tridiagonalEigen(three, count, products);
  const vectors = new Float64Array(n * count);
  transposeInto(rows.data, { rows: count, columns: n }, vectors);
  const turned = { rows: n, columns: count, data: vectors };
  await applyReflections(turned, three.reflections, products);
  reverseColumns(turned);
  return {
    values: values.reverse(),
    vectors: like instanceof Float64Array ? turned : convertLike({ data: like }, turned),
  };
}

/** Puts the columns of a matrix in the opposite order, in place. */
function reverseColumns({ rows, columns, data }: Matrix): void {
  for (let i = 0; i < rows; i++) data.subarray(i * columns, (i + 1) * columns).reverse();
}
