import { applyReflections } from "./eigen/apply-reflections.ts";
import { bidiagonalSvd } from "./eigen/bidiagonal-svd.ts";
import { type Bidiagonal, bidiagonalize, PAIR_PANEL } from "./eigen/bidiagonalize.ts";
import type { SingularRows } from "./eigen/couple-singular.ts";
import { createPairPanelKernel, type Side } from "./eigen/pair-panel-kernel.ts";
import { reverseColumns, transposeInto } from "./kernels/copies.ts";
import { largestExponent, multiplyByPower } from "./kernels/exponents.ts";
import { convertLike, type Matrix } from "./matrix.ts";
import { type ProductSteps, runHere } from "./products/product-steps.ts";

/** Singular values and vectors of a matrix: `left * diag(values) * right^T`. */
export interface Svd {
  /** Matrix `[m, r]` of orthonormal columns. */
  readonly left: Matrix;
  /** Singular values `[r]`, falling, at least 0. */
  readonly values: Float64Array;
  /** Matrix `[n, r]` of orthonormal columns. */
  readonly right: Matrix;
}

/**
 * Computes all singular values and vectors, `r = min(m, n)` of them, in f64 on this thread: reflections to
 * two diagonals, which are diagonalized by halves.
 *
 * Singular values have errors of some rounding errors of the largest. The time grows as `m n^2`: about 0.04 s
 * at 256 x 256, 1.5 s at 1024 x 1024. Use {@link truncatedSvd} for the largest values of large matrices.
 * @param matrix - `[m, n]`
 * @throws OutOfRangeError if an element is not finite
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createMatrix, svd } from "@isthmus/linear-algebra";
 *
 * const { values } = svd(createMatrix(2, 2, Float64Array.of(0, 3, 4, 0)));
 * assert.deepEqual(values, Float64Array.of(4, 3));
 * ```
 */
export function svd(matrix: Matrix): Svd {
  if (matrix.rows < matrix.columns) {
    const { left, values, right } = svd(transposeMatrix(matrix));
    return { left: right, values, right: left };
  }
  return runHere(tallSteps(matrix));
}

/** Computes the singular values and vectors of a matrix with at least as many rows as columns. */
function* tallSteps(matrix: Matrix): ProductSteps<Svd> {
  const { rows: m, columns: n, data } = matrix;
  const exponent = largestExponent(data, `compute singular values of a ${m} x ${n} matrix`);
  const kernel = createPairPanelKernel(m, n, PAIR_PANEL);
  kernel.data.set(data);
  multiplyByPower(kernel.data, -exponent);
  const two = yield* bidiagonalize(kernel, m, n);
  const rows = yield* bidiagonalSvd(two);
  const values = rows.values.reverse();
  multiplyByPower(values, exponent);
  return {
    left: convertLike(matrix, yield* vectorsOf(rows, two, "left", m)),
    values,
    right: convertLike(matrix, yield* vectorsOf(rows, two, "right", n)),
  };
}

/** Turns singular vectors of two diagonals to columns of the whole matrix's, the largest value first. */
function* vectorsOf(
  rows: SingularRows,
  { reflections }: Bidiagonal,
  side: Side,
  extent: number,
): ProductSteps<Matrix> {
  const { columns: n, data } = rows[side];
  const vectors = { rows: extent, columns: n, data: new Float64Array(extent * n) };
  transposeInto(data, { rows: n, columns: n }, vectors.data);
  reverseColumns(vectors.data, n);
  yield* applyReflections(vectors, reflections[side]);
  return vectors;
}

/** Copies the transpose of a matrix. */
export function transposeMatrix(matrix: Matrix): Matrix {
  const { rows, columns, data } = matrix;
  const out = data instanceof Float64Array ? new Float64Array(data.length) : new Float32Array(data.length);
  transposeInto(data, matrix, out);
  return { rows: columns, columns: rows, data: out };
}
