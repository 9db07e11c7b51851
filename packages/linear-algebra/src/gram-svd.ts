import { at } from "@isthmus/core";
import type { SymmetricEigen } from "./eigen/eigen-steps.ts";
import { divideColumns } from "./kernels/copies.ts";
import { largestEigenvectors } from "./largest-eigenvectors.ts";
import { gramOfShortSide, isWide, turnLines } from "./long-matrix.ts";
import { convertLike, type Matrix, sliceColumns } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import type { Svd } from "./svd.ts";

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
  const count = Math.min(rank, matrix.rows, matrix.columns);
  const { values: squares, vectors } = await eigenOfGram(matrix, count, products);
  const largest = squares.length === 0 ? 0 : at(squares, 0, "eigenvalue");
  const present = squares.filter((square) => square > LOST ** 2 * largest).length;
  const values = squares.slice(0, Math.min(count, present)).map(Math.sqrt);
  const short = sliceColumns(vectors, 0, values.length);
  const long = await turnLines(matrix, short, products);
  divideColumns(long.data, values);
  const converted = convertLike(matrix, short);
  return isWide(matrix) ? { left: converted, values, right: long } : { left: long, values, right: converted };
}

/** Computes eigenvectors of the Gram matrix of the shorter side, which nothing keeps in memory meanwhile. */
async function eigenOfGram(matrix: Matrix, count: number, products: MatrixProducts): Promise<SymmetricEigen> {
  return largestEigenvectors(await gramOfShortSide(matrix, products), count, products);
}
