import { at } from "@isthmus/core";
import { gramMatrix } from "./gram-matrix.ts";
import { divideColumns } from "./kernels/copies.ts";
import { largestEigenvectors } from "./largest-eigenvectors.ts";
import { convertLike, type Matrix, sliceColumns, toFloat64Matrix } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import { type Svd, transpose } from "./svd.ts";

/** Singular values below this share of the largest are rounding errors in a Gram matrix of f64. */
const LOST = 1e-7;

/** Options of {@link gramSvd}. */
export interface GramSvdOptions {
  /** Most singular values that are returned. @defaultValue all */
  readonly rank?: number;
}

/**
 * Computes singular values and vectors by the eigenvectors of the Gram matrix of the shorter side, in f64.
 *
 * The time grows with the cube of the shorter side: 5 s of one core at 2048. Singular values below 1e-7 of
 * the largest are lost, and left out with their vectors.
 * @param matrix - `[m, n]`
 */
export async function gramSvd(
  matrix: Matrix,
  products: MatrixProducts,
  { rank = Number.POSITIVE_INFINITY }: GramSvdOptions = {},
): Promise<Svd> {
  const isWide = matrix.rows < matrix.columns;
  const tall = toFloat64Matrix(isWide ? transpose(matrix) : matrix);
  const count = Math.min(rank, tall.columns);
  const { values: squares, vectors } = await largestEigenvectors(
    await gramMatrix(tall, products),
    count,
    products,
  );
  const largest = squares.length === 0 ? 0 : at(squares, 0, "eigenvalue");
  const present = squares.filter((square) => square > LOST ** 2 * largest).length;
  const values = squares.slice(0, Math.min(count, present)).map(Math.sqrt);
  const right = sliceColumns(vectors, 0, values.length);
  const left = await products.multiply(tall, right);
  divideColumns(left.data, values);
  const [ofRows, ofColumns] = isWide ? [right, left] : [left, right];
  return { left: convertLike(matrix, ofRows), values, right: convertLike(matrix, ofColumns) };
}
