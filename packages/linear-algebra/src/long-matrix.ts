import { gramMatrix, squareOfRows } from "./gram-matrix.ts";
import { combineInto } from "./kernels/copies.ts";
import { type Matrix, sliceColumns, toFloat64Matrix, zerosLike } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";

/**
 * Number of lines of a matrix, rows or columns, that are copied to f64 at a time; the whole copy would be
 * large.
 */
const LINES = 1024;

/** Some lines of a matrix, along its shorter side, in f64. */
interface Lines {
  readonly begin: number;
  readonly end: number;
  /** Block `[end - begin, n]` of a tall matrix, `[m, end - begin]` of a wide one. */
  readonly block: Matrix;
}

/** Returns whether a matrix has more columns than rows, so that its lines are columns. */
export function isWide({ rows, columns }: Matrix): boolean {
  return rows < columns;
}

/**
 * Computes the Gram matrix of the shorter side of a matrix, in f64: `A^T A` for a tall matrix, `A A^T` for a
 * wide one.
 * @param matrix - `[m, n]`
 * @returns `[min(m, n), min(m, n)]`, exactly symmetric
 */
export async function gramOfShortSide(matrix: Matrix, products: MatrixProducts): Promise<Matrix> {
  let sum: Matrix | undefined;
  for (const { block } of linesOf(matrix)) {
    const gram = isWide(matrix) ? await squareOfRows(block, products) : await gramMatrix(block, products);
    if (sum === undefined) sum = gram;
    else combineInto(sum.data, 1, { y: gram.data, shift: 1 }, sum.data);
  }
  return sum ?? zerosLike({ data: new Float64Array(0) }, 0, 0);
}

/**
 * Multiplies every line of a matrix by another matrix, in f64: `A T` for a tall matrix, `A^T T` for a wide
 * one.
 * @param turn - `[min(m, n), k]`, f64
 * @returns `[max(m, n), k]`, of the element type of the matrix
 */
export async function turnLines(matrix: Matrix, turn: Matrix, products: MatrixProducts): Promise<Matrix> {
  const turned = zerosLike(matrix, Math.max(matrix.rows, matrix.columns), turn.columns);
  for (const { begin, block } of linesOf(matrix)) {
    const { data } = await products.multiply(block, turn, { transposeLeft: isWide(matrix) });
    turned.data.set(data, begin * turn.columns);
  }
  return turned;
}

/**
 * Multiplies every line of a matrix by a square one, in f64, and keeps the lines in their places: `A T` for a
 * tall matrix, `T^T A` for a wide one.
 * @param turn - square, f64
 * @returns a matrix of the shape and the element type of the first
 */
export async function turnInPlace(matrix: Matrix, turn: Matrix, products: MatrixProducts): Promise<Matrix> {
  if (!isWide(matrix)) return turnLines(matrix, turn, products);
  const turned = zerosLike(matrix, matrix.rows, matrix.columns);
  for (const { begin, end, block } of linesOf(matrix)) {
    const { data } = await products.multiply(turn, block, { transposeLeft: true });
    const width = end - begin;
    for (let i = 0; i < matrix.rows; i++) {
      turned.data.set(data.subarray(i * width, (i + 1) * width), i * matrix.columns + begin);
    }
  }
  return turned;
}

function* linesOf(matrix: Matrix): Generator<Lines> {
  const { rows, columns, data } = matrix;
  const count = Math.max(rows, columns);
  for (let begin = 0; begin < count; begin += LINES) {
    const end = Math.min(count, begin + LINES);
    const part = isWide(matrix)
      ? sliceColumns(matrix, begin, end)
      : { rows: end - begin, columns, data: data.subarray(begin * columns, end * columns) };
    yield { begin, end, block: part.data instanceof Float64Array ? part : toFloat64Matrix(part) };
  }
}
