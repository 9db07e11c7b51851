import { OutOfRangeError } from "@isthmus/core";
import { applyReflections } from "./eigen/apply-reflections.ts";
import { createPanelKernel } from "./eigen/panel-kernel.ts";
import { tridiagonalEigen } from "./eigen/tridiagonal-eigen.ts";
import { PANEL, type Tridiagonal, tridiagonalize } from "./eigen/tridiagonalize.ts";
import { combineInto, reverseColumns, transposeInto } from "./kernels/copies.ts";
import { largestExponent, multiplyByPower } from "./kernels/exponents.ts";
import { convertLike, type Matrix, type MatrixData } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import { type ProductSteps, runBy } from "./products/product-steps.ts";
import type { SymmetricEigen } from "./symmetric-eigen.ts";

/**
 * Computes all eigenvalues of a symmetric matrix and the eigenvectors of the largest, in f64: reflections to
 * three diagonals, which are diagonalized by halves; most of the work is products.
 * @param matrix - `[n, n]`; only its symmetric part counts
 * @param count - number of eigenvectors; at most `n` are computed
 * @returns `values` `[n]` and `vectors` `[n, count]`
 * @throws OutOfRangeError if it is not square, or an element is not finite
 */
export async function largestEigenvectors(
  matrix: Matrix,
  count: number,
  products: MatrixProducts,
): Promise<SymmetricEigen> {
  return runBy(products, eigenSteps(matrix, count));
}

/** Makes the steps of {@link largestEigenvectors}. */
export function eigenSteps({ rows: n, columns, data }: Matrix, count: number): ProductSteps<SymmetricEigen> {
  if (n !== columns) {
    throw new OutOfRangeError(
      `Cannot compute eigenvalues of a ${n} x ${columns} matrix as it must be square`,
    );
  }
  const exponent = largestExponent(data, `compute eigenvalues of a ${n} x ${n} matrix`);
  const kernel = createPanelKernel(n, PANEL);
  transposeInto(data, { rows: n, columns: n }, kernel.data);
  // Half of a tiny number would lose a digit, the sum of two huge ones would overflow.
  const part = exponent > 0 ? 0.5 : 1;
  combineInto(data, part, { y: kernel.data, shift: part }, kernel.data);
  multiplyByPower(kernel.data, part === 1 ? -exponent - 1 : -exponent);
  // Neither this function nor the next one keeps the matrix in memory while eigenvectors are computed.
  return eigenOf(tridiagonalize(kernel, n), {
    count: Math.min(n, count),
    like: data.slice(0, 0),
    exponent,
  });
}

/** Computes eigenvectors, as elements of some type, of a matrix that is being reduced to three diagonals. */
function* eigenOf(
  reduction: ProductSteps<Tridiagonal>,
  { count, like, exponent }: { readonly count: number; readonly like: MatrixData; readonly exponent: number },
): ProductSteps<SymmetricEigen> {
  const three = yield* reduction;
  const n = three.diagonal.length;
  const { values, vectors: rows } = yield* tridiagonalEigen(three, count);
  const vectors = new Float64Array(n * count);
  transposeInto(rows.data, { rows: count, columns: n }, vectors);
  const turned = { rows: n, columns: count, data: vectors };
  yield* applyReflections(turned, three.reflections);
  reverseColumns(vectors, count);
  multiplyByPower(values, exponent);
  return {
    values: values.reverse(),
    vectors: like instanceof Float64Array ? turned : convertLike({ data: like }, turned),
  };
}
