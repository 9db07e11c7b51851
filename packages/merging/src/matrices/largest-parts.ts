import { at } from "@isthmus/core";
import {
  type DominantSubspaces,
  dominantSubspaces,
  type Matrix,
  type MatrixProducts,
  sliceColumns,
  svd,
  symmetricEigen,
  transpose,
} from "@isthmus/linear-algebra";

/** Smaller extent of a matrix up to which its singular vectors are computed exactly. */
const EXACT = 192;
/** Power iterations where a cut goes through singular values that are close to each other. */
const ITERATIONS = 2;

/** Which singular values are meant, and with what they are found. */
export interface PartsOptions {
  readonly rank: number;
  readonly products: MatrixProducts;
  readonly seed: number;
}

/**
 * Finds bases of the spaces of the largest singular values of a matrix, exactly for small matrices and by
 * random vectors for large ones.
 *
 * Methods need bases only: where they orthogonalize joined singular vectors, other bases of the same spaces
 * give the same result, as the polar factor of `A R` is that of `A` times `R` for orthogonal `R`.
 * Directions that the matrix maps to nothing but rounding errors are left out, so fewer than `rank` may be
 * found; the authors of such methods keep them, and what they turn the others by is chance.
 */
export async function largestParts(
  matrix: Matrix,
  { rank, products, seed }: PartsOptions,
): Promise<DominantSubspaces> {
  const negligible = matrix.data instanceof Float64Array ? 1e-10 : 1e-5;
  if (Math.min(matrix.rows, matrix.columns) > EXACT) {
    return leaveOutSmall(
      await dominantSubspaces(matrix, rank, products, { iterations: ITERATIONS, seed }),
      negligible,
    );
  }
  const { left, values, right } = svd(matrix);
  const count = Math.min(rank, countAbove(values, negligible * largestOf(values)));
  const core = { ...left, rows: count, columns: count, data: left.data.slice(0, count * count).fill(0) };
  for (let i = 0; i < count; i++) core.data[i * count + i] = at(values, i, "singular value");
  return { left: sliceColumns(left, 0, count), core, right: sliceColumns(right, 0, count) };
}

/** Leaves out directions in which the core is small, compared to the one in which it is largest. */
function leaveOutSmall({ left, core, right }: DominantSubspaces, negligible: number): DominantSubspaces {
  const ofLeft = largeColumns(transpose(core), negligible);
  const ofRight = largeColumns(core, negligible);
  const rows = transpose(selectColumns(transpose(core), ofLeft));
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
  const { data: turned, columns } = transpose(matrix);
  const lines = turned.slice(0, chosen.length * columns);
  chosen.forEach((column, i) => {
    lines.set(turned.subarray(column * columns, (column + 1) * columns), i * columns);
  });
  return transpose({ rows: chosen.length, columns, data: lines });
}

/**
 * Computes all left singular vectors of a matrix that belong to singular values other than zero.
 *
 * Large matrices take long, as the time grows with the cube of the smaller extent: 5 s at 1024, 50 s at 2048.
 * @param smallest - singular values up to this are zero
 * @returns `[m, r]`, orthonormal columns, largest singular value first
 */
export async function leftSingularVectors(
  matrix: Matrix,
  smallest: number,
  products: MatrixProducts,
): Promise<Matrix> {
  const { rows, columns } = matrix;
  if (Math.min(rows, columns) <= EXACT) {
    const { left, values } = svd(matrix);
    return sliceColumns(left, 0, countAbove(values, smallest));
  }
  const double = { ...matrix, data: Float64Array.from(matrix.data) };
  // Eigenvectors of a Gram matrix lose what is below 1e-8 of the largest singular value.
  const least = (largest: number) => Math.max(smallest ** 2, 1e-15 * largest);
  if (rows <= columns) {
    const gram = await products.multiply(double, double, { transposeRight: true });
    const { values, vectors } = symmetricEigen(gram);
    return asIn(matrix, sliceColumns(vectors, 0, countAbove(values, least(largestOf(values)))));
  }
  const gram = await products.multiply(double, double, { transposeLeft: true });
  const { values, vectors } = symmetricEigen(gram);
  const count = countAbove(values, least(largestOf(values)));
  const mapped = transpose(await products.multiply(double, sliceColumns(vectors, 0, count)));
  for (let i = 0; i < count; i++) {
    const row = mapped.data.subarray(i * rows, (i + 1) * rows);
    const length = Math.sqrt(values[i] as number);
    for (let j = 0; j < rows; j++) row[j] = (row[j] as number) / length;
  }
  return asIn(matrix, transpose(mapped));
}

/** The first of falling values; a matrix without elements has none, and nothing is smaller. */
function largestOf(values: Float64Array): number {
  return values.length === 0 ? 0 : at(values, 0, "value");
}

function countAbove(values: Float64Array, least: number): number {
  return values.reduce((count, value) => (value > least ? count + 1 : count), 0);
}

function asIn({ data: like }: Matrix, { rows, columns, data }: Matrix): Matrix {
  return { rows, columns, data: like instanceof Float32Array ? Float32Array.from(data) : data };
}
