import {
  joinColumns,
  type Matrix,
  type MatrixProducts,
  type Svd,
  sliceColumns,
  transposeMatrix,
} from "@isthmus/linear-algebra";
import type { Factors } from "../factors.ts";
import { basisOf } from "./basis-of.ts";

/** Orthonormal bases of all columns and of all rows of several low-rank matrices. */
export interface SharedSpace {
  /** Basis of the columns, `[out, l]`. */
  readonly left: Matrix;
  /** Basis of the rows, `[in, r]`. */
  readonly right: Matrix;
}

/**
 * Computes orthonormal bases of the columns of all `left` factors and of the rows of all `right` factors, so
 * that every product of two of them is a small matrix in these bases.
 *
 * Source: Panariello et al., Accurate and efficient low-rank model merging in core space, 2025, section 4.
 * Orthonormal bases are computed by Cholesky factors here, and by singular vectors in the paper.
 */
export async function shareSpace(
  [first, ...others]: readonly [Factors, ...Factors[]],
  products: MatrixProducts,
): Promise<SharedSpace> {
  const columns = joinColumns([first.left, ...others.map(({ left }) => left)]);
  const rows = joinColumns([
    transposeMatrix(first.right),
    ...others.map(({ right }) => transposeMatrix(right)),
  ]);
  return { left: await basisOf(columns, products), right: await basisOf(rows, products) };
}

/** Computes the small matrix, `[l, r]`, that a product of factors is in a shared space. */
export async function coreOf(
  { left, right }: SharedSpace,
  factors: Factors,
  products: MatrixProducts,
): Promise<Matrix> {
  return products.multiply(
    await products.multiply(left, factors.left, { transposeLeft: true }),
    await products.multiply(factors.right, right),
  );
}

/** Maps the largest singular values of a core, and their vectors, back from a shared space. */
export async function spreadSvd(
  space: SharedSpace,
  { left, values, right }: Svd,
  { rank, products }: { readonly rank: number; readonly products: MatrixProducts },
): Promise<Svd> {
  const count = Math.min(rank, values.length);
  return {
    left: await products.multiply(space.left, sliceColumns(left, 0, count)),
    values: values.slice(0, count),
    right: await products.multiply(space.right, sliceColumns(right, 0, count)),
  };
}
