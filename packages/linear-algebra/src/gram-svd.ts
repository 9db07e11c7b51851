import { at } from "@isthmus/core";
import { convertLike, type Matrix, sliceColumns, toFloat64Matrix } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import { type Svd, transpose } from "./svd.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

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
 * It is several times faster than {@link svd}, and the time grows with the cube of the shorter side: 0.5 s at
 * 512, about 40 s at 2048. Singular values below 1e-7 of the largest are lost, and left out with their
 * vectors.
 * @param matrix - `[m, n]`
 */
export async function gramSvd(
  matrix: Matrix,
  products: MatrixProducts,
  { rank = Number.POSITIVE_INFINITY }: GramSvdOptions = {},
): Promise<Svd> {
  if (matrix.rows < matrix.columns) {
    const { left, values, right } = await gramSvd(transpose(matrix), products, { rank });
    return { left: right, values, right: left };
  }
  const double = toFloat64Matrix(matrix);
  const { values: squares, vectors } = symmetricEigen(
    await products.multiply(double, double, { transposeLeft: true }),
  );
  const largest = squares.length === 0 ? 0 : at(squares, 0, "eigenvalue");
  const present = squares.filter((square) => square > LOST ** 2 * largest).length;
  const count = Math.min(rank, present);
  const values = squares.slice(0, count).map(Math.sqrt);
  const right = sliceColumns(vectors, 0, count);
  const left = await products.multiply(double, right);
  for (let i = 0; i < left.data.length; i++) {
    left.data[i] = at(left.data, i, "element") / at(values, i % count, "singular value");
  }
  return { left: convertLike(matrix, left), values, right: convertLike(matrix, right) };
}
