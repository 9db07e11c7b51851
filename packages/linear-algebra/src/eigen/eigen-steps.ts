import { OutOfRangeError } from "@isthmus/core";
import { combineInto, reverseColumns, transposeInto } from "../kernels/copies.ts";
import { largestExponent, multiplyByPower } from "../kernels/exponents.ts";
import { convertLike, type Matrix, type MatrixData } from "../matrix.ts";
import type { ProductSteps } from "../products/product-steps.ts";
import { applyReflections } from "./apply-reflections.ts";
import { createPanelKernel } from "./panel-kernel.ts";
import { tridiagonalEigen } from "./tridiagonal-eigen.ts";
import { PANEL, type Tridiagonal, tridiagonalize } from "./tridiagonalize.ts";

/** Eigenvalues and eigenvectors of a symmetric matrix: `vectors * diag(values) * vectors^T`. */
export interface SymmetricEigen {
  /** Eigenvalues `[n]`, falling. */
  readonly values: Float64Array;
  /** Matrix `[n, n]`, one eigenvector a column, orthonormal. */
  readonly vectors: Matrix;
}

/** Makes the steps of `largestEigenvectors` and `symmetricEigen`. */
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
