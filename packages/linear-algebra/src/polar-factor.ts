import { combineInto, innerProduct } from "./kernels/copies.ts";
import { type Matrix, zerosLike } from "./matrix.ts";
import { orthonormalize } from "./orthonormalize.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import { transpose } from "./svd.ts";

/** Options of {@link polarFactor}. */
export interface PolarFactorOptions {
  /**
   * Smallest singular value, as a share of the largest, that becomes 1 exactly; smaller ones become a number
   * between 0 and 1, and zero stays zero. More steps are made for a smaller one.
   * @defaultValue 1e-9 for f64, 1e-5 for f32
   */
  readonly smallest?: number;
}

/** Coefficients of the step that grows small singular values fast: `3.4445 s - 4.775 s^3 + 2.0315 s^5`. */
const FAST = { linear: 3.4445, cubic: -4.775, quintic: 2.0315 } as const;
/** Smaller singular values, as a share of the largest, are lost in an orthonormal basis by Gram matrices. */
const SMALLEST_BY_BASIS = 1e-6;
/** Steps of `1.5 s - 0.5 s^3`, after which values in `[0.6, 1.25]` are 1 to rounding in f64. */
const EXACT_STEPS = 6;

/**
 * Computes the orthogonal factor `U V^T` of `matrix = U S V^T`: the nearest matrix with orthonormal columns
 * or rows, made by matrix products only.
 *
 * Three products a step, 16 to 24 steps; a tall or wide matrix of f32 is first made square by an orthonormal
 * basis. Where a singular value is zero the factor is zero too, where others take arbitrary vectors.
 * @param matrix - `[m, n]`
 * @returns `[m, n]`, of the same element type
 *
 * Source: Newton-Schulz steps of Jordan et al., Muon, 2024 (the fast ones), and Bjorck and Bowie, An
 * iterative algorithm for computing the best estimate of an orthogonal matrix, 1971 (the exact ones). We
 * divide the matrix first by a closer bound of its norm, the fourth root of the sum of the fourth powers of
 * its singular values.
 */
export async function polarFactor(
  matrix: Matrix,
  products: MatrixProducts,
  { smallest = matrix.data instanceof Float64Array ? 1e-9 : 1e-5 }: PolarFactorOptions = {},
): Promise<Matrix> {
  if (matrix.rows < matrix.columns) {
    return transpose(await polarFactor(transpose(matrix), products, { smallest }));
  }
  if (matrix.rows >= 2 * matrix.columns && smallest >= SMALLEST_BY_BASIS) {
    const basis = await orthonormalize(matrix, products);
    const inner = await products.multiply(basis, matrix, { transposeLeft: true });
    return products.multiply(basis, await polarFactor(inner, products, { smallest }));
  }
  let gram = await products.multiply(matrix, matrix, { transposeLeft: true });
  const bound = innerProduct(gram.data, gram.data) ** 0.25;
  if (bound === 0) return zerosLike(matrix, matrix.rows, matrix.columns);
  let factor = zerosLike(matrix, matrix.rows, matrix.columns);
  combineInto(matrix.data, 1 / bound, { y: matrix.data, shift: 0 }, factor.data);
  combineInto(gram.data, 1 / bound ** 2, { y: gram.data, shift: 0 }, gram.data);
  // The bound is at most this many times the largest singular value.
  const slack = matrix.columns ** 0.25;
  const fastSteps = Math.ceil(Math.log(slack / smallest) / Math.log(FAST.linear)) + 1;
  for (let step = 0; step < fastSteps; step++) {
    const square = await products.multiply(gram, gram);
    combineInto(gram.data, FAST.cubic, { y: square.data, shift: FAST.quintic }, square.data);
    addToDiagonal(square, FAST.linear);
    factor = await products.multiply(factor, square);
    gram = await products.multiply(factor, factor, { transposeLeft: true });
  }
  for (let step = 0; step < EXACT_STEPS; step++) {
    combineInto(gram.data, -0.5, { y: gram.data, shift: 0 }, gram.data);
    addToDiagonal(gram, 1.5);
    factor = await products.multiply(factor, gram);
    if (step + 1 < EXACT_STEPS) gram = await products.multiply(factor, factor, { transposeLeft: true });
  }
  return factor;
}

function addToDiagonal({ columns, data }: Matrix, value: number): void {
  for (let i = 0; i < data.length; i += columns + 1) data[i] = (data[i] as number) + value;
}
