import { assertWholeOptions } from "@isthmus/core";
import { dominantSubspaces, type RangeFinderOptions } from "./dominant-subspaces.ts";
import { innerProduct } from "./kernels/copies.ts";
import { type Matrix, sliceColumns } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import { type Svd, svd } from "./svd.ts";

/**
 * Number of dimensions that are searched beyond the rank, so that the last singular values are accurate as
 * well.
 */
const SPARE = 12;
/** Smaller extent up to which all singular values are computed, exactly. */
const EXACT = 64;

/** The largest singular values of a matrix, their vectors, and how much of the matrix they leave out. */
export interface TruncatedSvd extends Svd {
  /**
   * Frobenius norm of the matrix less `left * diag(values) * right^T`, to 1e-7 of the norm of the matrix. No
   * approximation of that rank has a smaller norm than the root of the sum of the squares of the singular
   * values left out.
   */
  readonly residual: number;
}

/**
 * Computes the largest singular values of a matrix and their vectors, by matrix products.
 *
 * The result depends on the seed, and on no number of threads.
 * @param matrix - `[m, n]`
 * @param rank - number of singular values; at most `min(m, n)` are returned
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createMatrix, plainProducts, truncatedSvd } from "@isthmus/linear-algebra";
 *
 * const matrix = createMatrix(2, 3, Float32Array.of(0, 3, 0, 4, 0, 0));
 * const { left, values } = await truncatedSvd(matrix, 1, plainProducts);
 * assert.deepEqual([left.rows, left.columns, ...values], [2, 1, 4]);
 * ```
 */
export async function truncatedSvd(
  matrix: Matrix,
  rank: number,
  products: MatrixProducts,
  options: RangeFinderOptions = {},
): Promise<TruncatedSvd> {
  assertWholeOptions("compute singular values", { rank }, { rank: 1 });
  const least = Math.min(matrix.rows, matrix.columns);
  const largest = least <= EXACT ? cut(svd(matrix), rank) : await searchFor(matrix, rank, products, options);
  const squares = largest.values.reduce((sum, value) => sum + value ** 2, 0);
  return { ...largest, residual: Math.sqrt(Math.max(0, innerProduct(matrix.data, matrix.data) - squares)) };
}

/** Finds the largest singular values in the spaces that hold the largest part of a matrix. */
async function searchFor(
  matrix: Matrix,
  rank: number,
  products: MatrixProducts,
  options: RangeFinderOptions,
): Promise<Svd> {
  const { left, core, right } = await dominantSubspaces(matrix, rank + SPARE, products, options);
  const inner = cut(svd(core), rank);
  return {
    left: await products.multiply(left, inner.left),
    values: inner.values,
    right: await products.multiply(right, inner.right),
  };
}

function cut({ left, values, right }: Svd, rank: number): Svd {
  if (rank >= values.length) return { left, values, right };
  return {
    left: sliceColumns(left, 0, rank),
    values: values.slice(0, rank),
    right: sliceColumns(right, 0, rank),
  };
}
