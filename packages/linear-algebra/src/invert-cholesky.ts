import { at } from "@isthmus/core";
import { invertSmallCholesky } from "./kernels/cholesky.ts";
import { combineInto } from "./kernels/copies.ts";
import { type Matrix, zerosLike } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";

/** Extent up to which loops are faster than products of blocks. */
const SMALL = 48;

/**
 * Computes the inverse of the lower triangular Cholesky factor of a Gram matrix, by products of its halves.
 *
 * A column that depends on earlier ones gets zeros.
 * @param gram - `[n, n]`, symmetric, positive semidefinite, f64
 * @returns `L^-1`, `[n, n]`, lower triangular, with `L L^T = gram`
 */
export async function invertCholesky(gram: Matrix, products: MatrixProducts): Promise<Matrix> {
  const { columns, data } = gram;
  const squares = Float64Array.from({ length: columns }, (_, i) => at(data, i * (columns + 1), "element"));
  return invertBlock(gram, squares, products);
}

async function invertBlock(gram: Matrix, squares: Float64Array, products: MatrixProducts): Promise<Matrix> {
  const n = gram.columns;
  if (n <= SMALL) {
    return { rows: n, columns: n, data: invertSmallCholesky(Float64Array.from(gram.data), squares) };
  }
  const half = n >> 1;
  const upper = await invertBlock(copyBlock(gram, [0, half], [0, half]), squares.subarray(0, half), products);
  const below = await products.multiply(copyBlock(gram, [half, n], [0, half]), upper, {
    transposeRight: true,
  });
  const rest = copyBlock(gram, [half, n], [half, n]);
  const taken = await products.multiply(below, below, { transposeRight: true });
  combineInto(rest.data, 1, { y: taken.data, shift: -1 }, rest.data);
  const lower = await invertBlock(rest, squares.subarray(half), products);
  const between = await products.multiply(lower, await products.multiply(below, upper));
  combineInto(between.data, -1, { y: between.data, shift: 0 }, between.data);
  const inverse = zerosLike(gram, n, n);
  pasteBlock(upper, inverse, 0, 0);
  pasteBlock(between, inverse, half, 0);
  pasteBlock(lower, inverse, half, half);
  return inverse;
}

type Range = readonly [begin: number, end: number];

function copyBlock(matrix: Matrix, [top, bottom]: Range, [left, right]: Range): Matrix {
  const block = zerosLike(matrix, bottom - top, right - left);
  for (let i = top; i < bottom; i++) {
    const row = matrix.data.subarray(i * matrix.columns + left, i * matrix.columns + right);
    block.data.set(row, (i - top) * block.columns);
  }
  return block;
}

function pasteBlock({ rows, columns, data }: Matrix, into: Matrix, top: number, left: number): void {
  for (let i = 0; i < rows; i++) {
    into.data.set(data.subarray(i * columns, (i + 1) * columns), (top + i) * into.columns + left);
  }
}
