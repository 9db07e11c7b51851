import type { MatrixData } from "../matrix.ts";

/** Extents of a matrix in row-major order. */
export interface Extents {
  /** Number of rows, each of `columns` consecutive elements. */
  readonly rows: number;
  /** Number of columns, the length of a row. */
  readonly columns: number;
}

/** Edge of the squares in which a matrix is transposed, so that both sides stay in the cache. */
const SQUARE = 32;

/** Writes the transpose of a matrix. */
export function transposeInto(source: MatrixData, { rows, columns }: Extents, out: MatrixData): void {
  for (let top = 0; top < rows; top += SQUARE) {
    const bottom = Math.min(top + SQUARE, rows);
    for (let left = 0; left < columns; left += SQUARE) {
      const right = Math.min(left + SQUARE, columns);
      for (let i = top; i < bottom; i++) {
        for (let j = left; j < right; j++) out[j * rows + i] = source[i * columns + j]!;
      }
    }
  }
}

/** Computes `out = scale * x + shift * y`, element by element; `out` may be `x` or `y`. */
export function combineInto(
  x: MatrixData,
  scale: number,
  { y, shift }: { readonly y: MatrixData; readonly shift: number },
  out: MatrixData,
): void {
  for (let i = 0; i < out.length; i++) out[i] = scale * x[i]! + shift * y[i]!;
}

/** Computes the sum of products of elements at the same place of two matrices, in f64. */
export function innerProduct(x: MatrixData, y: MatrixData): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** Copies the upper half of a square matrix to the lower one. */
export function mirrorUpper(data: MatrixData, n: number): void {
  for (let top = 0; top < n; top += SQUARE) {
    const bottom = Math.min(top + SQUARE, n);
    for (let left = 0; left <= top; left += SQUARE) {
      for (let i = top; i < bottom; i++) {
        const right = Math.min(left + SQUARE, i);
        for (let j = left; j < right; j++) data[i * n + j] = data[j * n + i]!;
      }
    }
  }
}

/** Divides every column of a matrix by a number of its own. */
export function divideColumns(data: MatrixData, divisors: Float64Array): void {
  const columns = divisors.length;
  for (let begin = 0; begin < data.length; begin += columns) {
    for (let j = 0; j < columns; j++) data[begin + j] = data[begin + j]! / divisors[j]!;
  }
}

/** Adds a number to the diagonal of a square matrix. */
export function addToDiagonal(data: MatrixData, columns: number, value: number): void {
  for (let i = 0; i < data.length; i += columns + 1) data[i] = data[i]! + value;
}

/** Returns the largest absolute value. */
export function largestSize(data: MatrixData): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]!));
  return largest;
}

/** Puts the columns of a matrix in the opposite order, in place. */
export function reverseColumns(data: MatrixData, columns: number): void {
  for (let begin = 0; begin < data.length; begin += columns) data.subarray(begin, begin + columns).reverse();
}
