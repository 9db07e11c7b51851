import { at } from "@isthmus/core";
import {
  type DominantSubspaces,
  dominantSubspaces,
  gramSvd,
  type Matrix,
  type MatrixProducts,
  type Svd,
  sliceColumns,
  svd,
  transposeMatrix,
  zerosLike,
} from "@isthmus/linear-algebra";

/** Largest smaller extent of a matrix that is factorized itself, which loses no small singular values. */
const SMALL = 192;

/** Options of {@link largestParts}. */
export interface PartsOptions {
  /** Number of singular values whose spaces are sought. */
  readonly rank: number;
  /** Multiplier of matrices, by which singular vectors are computed. */
  readonly products: MatrixProducts;
  /** Seed of the start of an approximate search. */
  readonly seed: number;
  /** Number of power iterations of an approximate search; 0 for exact singular vectors. */
  readonly iterations: number;
  /**
   * Largest singular value, as a share of the largest of all, whose directions are left out as rounding
   * errors.
   * @defaultValue 1e-10 for f64 and 1e-5 for f32
   */
  readonly negligible?: number;
}

/** Parameter of methods that keep the largest singular values of matrices. */
export const ITERATIONS = {
  description:
    "Power iterations of an approximate search of main directions; 0 computes them exactly, which takes longer.",
  of: "merge",
  default: 0,
  least: 0,
  most: 100,
} as const;

/**
 * Finds bases of the spaces of the largest singular values of a matrix.
 *
 * Methods need only bases: if they orthogonalize joined singular vectors, other bases of the same spaces give
 * the same result, because the polar factor of `A R` is the polar factor of `A` times `R` for orthogonal `R`.
 * Directions that the matrix maps to mere rounding errors are left out, so that fewer than `rank` may be
 * found. The authors of such methods keep them, which turns the other directions at random.
 */
export async function largestParts(
  matrix: Matrix,
  { rank, products, seed, iterations, ...rules }: PartsOptions,
): Promise<DominantSubspaces> {
  const { negligible = matrix.data instanceof Float64Array ? 1e-10 : 1e-5 } = rules;
  if (iterations > 0) {
    return leaveOutSmall(await dominantSubspaces(matrix, rank, products, { iterations, seed }), negligible);
  }
  const { left, values, right } = await exactSvd(matrix, products, rank);
  const count = Math.min(rank, countAbove(values, negligible * largestOf(values)));
  const core = zerosLike(left, count, count);
  for (let i = 0; i < count; i++) core.data[i * count + i] = at(values, i, "singular value");
  return { left: sliceColumns(left, 0, count), core, right: sliceColumns(right, 0, count) };
}

/** Returns the diagonal of a square core: the singular values, falling, if they were computed exactly. */
export function diagonalOf({ rows, data }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => at(data, i * (rows + 1), "element"));
}

async function exactSvd(matrix: Matrix, products: MatrixProducts, rank: number): Promise<Svd> {
  const isSmall = Math.min(matrix.rows, matrix.columns) <= SMALL;
  return isSmall ? svd(matrix) : gramSvd(matrix, products, { rank });
}

/**
 * Leaves out directions in which the core is negligible, compared to the direction in which it is largest.
 */
function leaveOutSmall({ left, core, right }: DominantSubspaces, negligible: number): DominantSubspaces {
  const ofLeft = largeColumns(transposeMatrix(core), negligible);
  const ofRight = largeColumns(core, negligible);
  const rows = transposeMatrix(selectColumns(transposeMatrix(core), ofLeft));
  return {
    left: selectColumns(left, ofLeft),
    core: selectColumns(rows, ofRight),
    right: selectColumns(right, ofRight),
  };
}

function largeColumns({ columns, data }: Matrix, negligible: number): number[] {
  const squares = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) {
    squares[i % columns] = at(squares, i % columns, "column") + at(data, i, "element") ** 2;
  }
  const least = squares.reduce((most, square) => Math.max(most, square), 0) * negligible ** 2;
  return [...squares.keys()].filter((column) => at(squares, column, "column") > least);
}

function selectColumns(matrix: Matrix, chosen: readonly number[]): Matrix {
  if (chosen.length === matrix.columns) return matrix;
  const { data: turned, columns } = transposeMatrix(matrix);
  const lines = turned.slice(0, chosen.length * columns);
  chosen.forEach((column, i) => {
    lines.set(turned.subarray(column * columns, (column + 1) * columns), i * columns);
  });
  return transposeMatrix({ rows: chosen.length, columns, data: lines });
}

/**
 * Computes all left singular vectors of a matrix that belong to singular values other than zero.
 * @param smallest - largest singular value that counts as zero
 * @returns `[m, r]`, orthonormal columns, largest singular value first
 */
export async function leftSingularVectors(
  matrix: Matrix,
  smallest: number,
  products: MatrixProducts,
): Promise<Matrix> {
  const { left, values } = await exactSvd(matrix, products, Number.POSITIVE_INFINITY);
  return sliceColumns(left, 0, countAbove(values, smallest));
}

/** Returns the first of values in falling order; 0 for a matrix without elements. */
function largestOf(values: Float64Array): number {
  return values.length === 0 ? 0 : at(values, 0, "value");
}

function countAbove(values: Float64Array, least: number): number {
  return values.reduce((count, value) => (value > least ? count + 1 : count), 0);
}
