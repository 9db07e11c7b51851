import { gramMatrix, squareOfRows } from "./gram-matrix.ts";
import { invertCholesky } from "./invert-cholesky.ts";
import { addToDiagonal, combineInto, innerProduct, largestSize } from "./kernels/copies.ts";
import { gramOfShortSide, isWide, turnInPlace } from "./long-matrix.ts";
import { convertLike, type Matrix, toFloat64Matrix, zerosLike } from "./matrix.ts";
import { halleyCoefficients, type OddPolynomial, polarPolynomials } from "./polar-polynomials.ts";
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
 * It takes three products a step, 18 steps in f64, and leaves out half of the symmetric products. In f32 one
 * rational step, computed in f64, leaves 6 such steps; a long matrix of f32 is replaced by the square factor
 * of its Gram matrix. If a singular value is zero, the factor is zero there too, while other methods take
 * arbitrary vectors.
 * @param matrix - `[m, n]`
 * @returns `[m, n]`, of the same element type
 *
 * Source: Amsel et al., The Polar Express, 2025. We divide the matrix first by a closer bound of its norm,
 * the eighth root of the sum of the eighth powers of its singular values, work in f32 and f64, and make the
 * first step in f32 by Halley's iteration.
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

/** Computes the polar factor of a matrix with at least as many rows as columns. */
async function ofTall(matrix: Matrix, products: MatrixProducts, range: Range): Promise<Matrix> {
  const size = largestSize(matrix.data);
  if (size === 0) return zerosLike(matrix, matrix.rows, matrix.columns);
  const isLifted =
    matrix.data instanceof Float32Array &&
    products.lacksDoubles !== true &&
    Math.max(range.smallest, range.least / size) < RATIONAL_BELOW;
  const start = await (isLifted ? rationalStep : scaleByNorm)(matrix, products, range);
  let { factor, grams } = start;
  const polynomials = polarPolynomials(start.low, matrix.data instanceof Float64Array ? 1e-15 : 1e-7);
  for (const polynomial of polynomials) {
    const { gram, square } = grams ?? (await gramsOf(factor, products));
    factor = await products.multiply(factor, evenPart(polynomial, gram, square));
    grams = undefined;
  }
  return factor;
}

/** The Gram matrix of the columns of a matrix, and its square. */
interface Grams {
  readonly gram: Matrix;
  readonly square: Matrix;
}

async function gramsOf(factor: Matrix, products: MatrixProducts): Promise<Grams> {
  const gram = await gramMatrix(factor, products);
  return { gram, square: await squareOfRows(gram, products) };
}

/** A matrix whose polar factor is sought by polynomials. */
interface PolarStart {
  /** Matrix with the polar factor of the original one, and singular values of at most 1. */
  readonly factor: Matrix;
  /** Lower bound of its singular values that become 1. */
  readonly low: number;
  /** Gram matrix of the factor and its square, if they are known. */
  readonly grams: Grams | undefined;
}

/** Divides a matrix by a bound of its largest singular value. */
async function scaleByNorm(
  matrix: Matrix,
  products: MatrixProducts,
  { smallest, least }: Range,
): Promise<PolarStart> {
  const size = largestSize(matrix.data);
  const factor = zerosLike(matrix, matrix.rows, matrix.columns);
  // Fourth powers of small elements would vanish in f32.
  combineInto(matrix.data, 1 / size, { y: matrix.data, shift: 0 }, factor.data);
  const { gram, square } = await gramsOf(factor, products);
  const bound = innerProduct(square.data, square.data) ** 0.125;
  combineInto(factor.data, 1 / bound, { y: factor.data, shift: 0 }, factor.data);
  combineInto(gram.data, bound ** -2, { y: gram.data, shift: 0 }, gram.data);
  combineInto(square.data, bound ** -4, { y: square.data, shift: 0 }, square.data);
  // The bound is at most this many times the largest singular value.
  const slack = matrix.columns ** 0.125;
  return { factor, low: Math.max(smallest / slack, least / (size * bound)), grams: { gram, square } };
}

/**
 * Share of the largest singular value below which the smallest one is lifted by a rational function in f64,
 * which takes the time of three polynomials in f32 and saves five or more.
 */
const RATIONAL_BELOW = 1e-2;

/**
 * Lifts small singular values by the rational function `s (a + b s^2) / (1 + c s^2)` that makes the range of
 * all as narrow as possible: `A (b/c + (a - b/c) (1 + c A^T A)^-1)`.
 *
 * Source: Nakatsukasa, Bai and Gygi, Optimizing Halley's iteration for computing the matrix polar
 * decomposition, 2010, with the inverse by a Cholesky factor. Its error is c rounding errors of f64, which
 * rounding to f32 hides.
 */
async function rationalStep(
  matrix: Matrix,
  products: MatrixProducts,
  { smallest, least }: Range,
): Promise<PolarStart> {
  const n = matrix.columns;
  const shifted = await gramOfShortSide(matrix, products);
  const bound = innerProduct(shifted.data, shifted.data) ** 0.25;
  const low = Math.max(smallest / n ** 0.25, least / bound);
  const { a, b, c, lifted } = halleyCoefficients(low);
  combineInto(shifted.data, c / bound ** 2, { y: shifted.data, shift: 0 }, shifted.data);
  addToDiagonal(shifted.data, n, 1);
  const inverse = await gramMatrix(await invertCholesky(shifted, products), products);
  combineInto(inverse.data, (a - b / c) / bound, { y: inverse.data, shift: 0 }, inverse.data);
  addToDiagonal(inverse.data, n, b / c / bound);
  return { factor: await turnInPlace(matrix, inverse, products), low: lifted, grams: undefined };
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
