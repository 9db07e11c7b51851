import { transposeInto } from "./kernels/copies.ts";
import { orthogonalizeRows } from "./kernels/jacobi.ts";
import { convertLike, type Matrix, toFloat64Matrix } from "./matrix.ts";

/** Singular values and vectors of a matrix: `left * diag(values) * right^T`. */
export interface Svd {
  /** Matrix `[m, r]` of orthonormal columns; the column of a singular value of zero is zero. */
  readonly left: Matrix;
  /** Singular values `[r]`, falling, at least 0. */
  readonly values: Float64Array;
  /** Matrix `[n, r]` of orthonormal columns. */
  readonly right: Matrix;
}

/**
 * Computes all singular values and vectors, `r = min(m, n)` of them, in f64 by rotations of pairs of columns.
 *
 * Small singular values are as accurate as large ones. The time grows as `m n^2` with a large factor: 0.1 s
 * at 128 x 128, 1 s at 256 x 256. Use {@link truncatedSvd} for the largest values of large matrices.
 * @param matrix - `[m, n]`
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
  const { rows: m, columns: n } = matrix;
  // Each row is one column of the matrix; the longest come first, which saves sweeps.
  const vectors = toFloat64Matrix(transposeMatrix(matrix)).data as Float64Array;
  const lengthOf = (j: number) => Math.hypot(...chunkNorms(vectors.subarray(j * m, (j + 1) * m)));
  const start = sortFalling(Float64Array.from({ length: n }, (_, j) => lengthOf(j)));
  const sorted = gatherRows(vectors, start, m);
  const followers = new Float64Array(n * n);
  start.forEach((column, i) => {
    followers[i * n + column] = 1;
  });
  orthogonalizeRows(sorted, followers, { count: n, length: m });
  const lengths = Float64Array.from({ length: n }, (_, j) =>
    Math.hypot(...chunkNorms(sorted.subarray(j * m, (j + 1) * m))),
  );
  const order = sortFalling(lengths);
  const left = gatherRows(sorted, order, m);
  const values = Float64Array.from(order, (j) => lengths[j] as number);
  values.forEach((value, j) => {
    if (value > 0) for (let p = j * m; p < (j + 1) * m; p++) left[p] = (left[p] as number) / value;
  });
  const right = gatherRows(followers, order, n);
  return {
    left: convertLike(matrix, transposeMatrix({ rows: n, columns: m, data: left })),
    values,
    right: convertLike(matrix, transposeMatrix({ rows: n, columns: n, data: right })),
  };
}

/** Copies the transpose of a matrix. */
export function transposeMatrix(matrix: Matrix): Matrix {
  const { rows, columns, data } = matrix;
  const out = data instanceof Float64Array ? new Float64Array(data.length) : new Float32Array(data.length);
  transposeInto(data, matrix, out);
  return { rows: columns, columns: rows, data: out };
}

/** Number of elements whose squares are summed at a time; `Math.hypot` joins the sums without overflow. */
const CHUNK = 4096;

function chunkNorms(vector: Float64Array): number[] {
  const norms: number[] = [];
  for (let begin = 0; begin < vector.length; begin += CHUNK) {
    norms.push(Math.hypot(...vector.subarray(begin, begin + CHUNK)));
  }
  return norms;
}

function sortFalling(lengths: Float64Array): number[] {
  const places = Array.from(lengths, (length, place) => ({ length, place }));
  return places.sort((x, y) => y.length - x.length || x.place - y.place).map(({ place }) => place);
}

function gatherRows(source: Float64Array, rows: readonly number[], length: number): Float64Array {
  const out = new Float64Array(rows.length * length);
  rows.forEach((row, i) => {
    out.set(source.subarray(row * length, (row + 1) * length), i * length);
  });
  return out;
}
