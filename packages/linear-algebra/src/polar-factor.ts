import { gramMatrix, squareOfRows } from "./gram-matrix.ts";
import { invertCholesky } from "./invert-cholesky.ts";
import { addToDiagonal, combineInto, innerProduct, largestSize } from "./kernels/copies.ts";
import { gramOfShortSide, isWide, turnInPlace } from "./long-matrix.ts";
import { convertLike, type Matrix, toFloat64Matrix, zerosLike } from "./matrix.ts";
import { type OddPolynomial, polarPolynomials } from "./polar-polynomials.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";
import { transposeMatrix } from "./svd.ts";

/** Options of {@link polarFactor}. */
export interface PolarFactorOptions {
  /**
   * Smallest singular value, as a share of the largest, that becomes 1 exactly; smaller ones become a number
   * between 0 and 1, and zero stays zero. More steps are made for a smaller one.
   * @defaultValue 1e-9 for f64, 1e-5 for f32
   */
  readonly smallest?: number;
}

/** Share of the largest singular value below which others are lost in the Gram matrix of a long matrix. */
const SMALLEST_BY_GRAM = 1e-6;

/**
 * Computes the orthogonal factor `U V^T` of `matrix = U S V^T`: the nearest matrix with orthonormal columns
 * or rows, made by matrix products only.
 *
 * It takes three products a step, 11 steps in f32 and 18 in f64, and leaves out half of the symmetric
 * products; a long matrix of f32 is replaced by the square factor of its Gram matrix. If a singular value is
 * zero, the factor is zero there too, while other methods take arbitrary vectors.
 * @param matrix - `[m, n]`
 * @returns `[m, n]`, of the same element type
 *
 * Source: Amsel et al., The Polar Express, 2025. We divide the matrix first by a closer bound of its norm,
 * the eighth root of the sum of the eighth powers of its singular values, and work in f32 and f64.
 */
export async function polarFactor(
  matrix: Matrix,
  products: MatrixProducts,
  { smallest = matrix.data instanceof Float64Array ? 1e-9 : 1e-5 }: PolarFactorOptions = {},
): Promise<Matrix> {
  const [long, short] = isWide(matrix) ? [matrix.columns, matrix.rows] : [matrix.rows, matrix.columns];
  const isLong = long >= 2 * short && smallest >= SMALLEST_BY_GRAM;
  if (isLong && matrix.data instanceof Float32Array) return ofLong(matrix, products, smallest);
  if (isWide(matrix))
    return transposeMatrix(await ofTall(transposeMatrix(matrix), products, { smallest, least: 0 }));
  return ofTall(matrix, products, { smallest, least: 0 });
}

/** Range of the singular values that become 1. */
interface Range {
  /** Smallest of these singular values, as a share of the largest. */
  readonly smallest: number;
  /** Lower bound of all singular values other than zero; 0 if no bound is known. */
  readonly least: number;
}

/** Computes the polar factor of a matrix with at least as many rows as columns, by polynomials. */
async function ofTall(matrix: Matrix, products: MatrixProducts, { smallest, least }: Range): Promise<Matrix> {
  const size = largestSize(matrix.data);
  if (size === 0) return zerosLike(matrix, matrix.rows, matrix.columns);
  let factor = zerosLike(matrix, matrix.rows, matrix.columns);
  // Fourth powers of small elements would vanish in f32.
  combineInto(matrix.data, 1 / size, { y: matrix.data, shift: 0 }, factor.data);
  let gram = await gramMatrix(factor, products);
  let square = await squareOfRows(gram, products);
  const bound = innerProduct(square.data, square.data) ** 0.125;
  combineInto(factor.data, 1 / bound, { y: factor.data, shift: 0 }, factor.data);
  combineInto(gram.data, bound ** -2, { y: gram.data, shift: 0 }, gram.data);
  combineInto(square.data, bound ** -4, { y: square.data, shift: 0 }, square.data);
  // The bound is at most this many times the largest singular value.
  const slack = matrix.columns ** 0.125;
  const low = Math.max(smallest / slack, least / (size * bound));
  const polynomials = polarPolynomials(low, matrix.data instanceof Float64Array ? 1e-15 : 1e-7);
  for (const [step, polynomial] of polynomials.entries()) {
    factor = await products.multiply(factor, evenPart(polynomial, gram, square));
    if (step + 1 === polynomials.length) break;
    gram = await gramMatrix(factor, products);
    square = await squareOfRows(gram, products);
  }
  return factor;
}

/** Computes `linear + cubic G + quintic G^2`, in the memory of the square. */
function evenPart({ linear, cubic, quintic }: OddPolynomial, gram: Matrix, square: Matrix): Matrix {
  combineInto(gram.data, cubic, { y: square.data, shift: quintic }, square.data);
  addToDiagonal(square.data, square.columns, linear);
  return square;
}

/** Factor for a bound of the smallest singular value, as rounding may make the bound too large. */
const CAUTION = 0.5;

/**
 * Computes the polar factor by the triangular factor R of the Gram matrix in f64: with `A = Q R` it is
 * `Q polar(R) = A R^-1 polar(R)`.
 *
 * The inverse of R bounds the smallest singular value, which saves steps if that value is not small.
 */
async function ofLong(matrix: Matrix, products: MatrixProducts, smallest: number): Promise<Matrix> {
  const gram = await gramOfShortSide(matrix, products);
  const inverse = await invertCholesky(gram, products);
  const triangle = convertLike(matrix, await products.multiply(inverse, gram));
  const sizeOfInverse = Math.sqrt(innerProduct(inverse.data, inverse.data));
  const least = sizeOfInverse === 0 ? 0 : CAUTION / sizeOfInverse;
  const inner = await ofTall(triangle, products, { smallest, least });
  const turned = await products.multiply(inverse, toFloat64Matrix(inner), { transposeLeft: true });
  return turnInPlace(matrix, turned, products);
}
