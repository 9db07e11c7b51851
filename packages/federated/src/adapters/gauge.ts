import { at } from "@isthmus/core";
import { type Matrix, type Svd, transposeMatrix, zerosLike } from "@isthmus/linear-algebra";
import type { Factors } from "@isthmus/merging";
import { squareOf } from "./low-rank.ts";

/** Share of the largest singular value below which a direction counts as one that the product lacks. */
const LOST = 1e-12;

/** Options of {@link factorsOf}. */
export interface GaugeOptions {
  /** Factor by which the product of the factors is multiplied to give the matrix. @defaultValue 1 */
  readonly scale?: number;
  /**
   * Factors in the network before, of the same rank. @defaultValue none: lengths are equal, and directions
   * that the product lacks are zeros
   */
  readonly before?: Factors;
}

/**
 * Writes a low-rank matrix as factors that are determined by it: `B` has its left singular vectors as
 * columns, `A` the right ones as rows, largest singular value first, so that the first columns and rows are
 * the best approximation of every smaller rank. The largest element of each column of `B` is positive.
 *
 * A column and its row have equal lengths, but the rows of `A` (or the columns of `B`, if these were longer)
 * are not shorter than their median in the network before: training begins with a long `A` and zeros in `B`,
 * and directions whose two factors were both short would be learned slowly. A direction that the product
 * lacks keeps that long vector of the network before beside zeros, so that it can be learned.
 *
 * @param product - largest singular values of the matrix, and their vectors
 * @param rank - rank of the factors
 */
export function factorsOf(
  { left, values, right }: Svd,
  rank: number,
  { scale = 1, before }: GaugeOptions = {},
): Factors {
  const vectors = { b: transposeMatrix(left), a: transposeMatrix(right) };
  const made = { b: zerosLike(left, rank, left.rows), a: zerosLike(right, rank, right.rows) };
  const start = before && { b: transposeMatrix(before.left), a: before.right };
  const usual = { b: medianLength(start?.b), a: medianLength(start?.a) };
  const [long, short] = usual.a >= usual.b ? (["a", "b"] as const) : (["b", "a"] as const);
  for (let k = 0; k < rank; k++) {
    if (k >= values.length || !(at(values, k) > LOST * at(values, 0))) {
      if (start !== undefined) rowOf(made[long], k).set(rowOf(start[long], k));
      continue;
    }
    const value = at(values, k) / Math.abs(scale);
    const length = Math.max(usual[long], Math.sqrt(value));
    const signs = { b: signOf(rowOf(vectors.b, k)), a: signOf(rowOf(vectors.b, k)) * Math.sign(scale) };
    scaleInto(rowOf(vectors[long], k), signs[long] * length, rowOf(made[long], k));
    scaleInto(rowOf(vectors[short], k), (signs[short] * value) / length, rowOf(made[short], k));
  }
  return { left: transposeMatrix(made.b), right: made.a };
}

const rowOf = ({ columns, data }: Matrix, row: number) => data.subarray(row * columns, (row + 1) * columns);

/** Returns the median length of the rows that are not zero, of two the smaller; 0 if all rows are zero. */
function medianLength(matrix: Matrix | undefined): number {
  if (matrix === undefined) return 0;
  const lengths = Array.from({ length: matrix.rows }, (_, row) => Math.sqrt(squareOf(rowOf(matrix, row))))
    .filter((length) => length > 0)
    .sort((x, y) => x - y);
  return lengths.length === 0 ? 0 : at(lengths, (lengths.length - 1) >> 1);
}

/** Returns the sign of the largest element, the first of equal ones. */
function signOf(values: Matrix["data"]): 1 | -1 {
  let largest = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? -1 : 1;
}

function scaleInto(source: Matrix["data"], factor: number, out: Matrix["data"]): void {
  for (let i = 0; i < out.length; i++) out[i] = factor * at(source, i);
}
