// Calculations with whole matrices. This file is imported when they are needed: the library behind it is a
// tenth of the package.
import { at } from "@isthmus/core";
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from "ml-matrix";

/** Eigenvalues below this share of the largest are taken to be zero: no scale is better than another then. */
const RANK_TOLERANCE = 1e-7;

/** Returns `U V^T` of the singular value decomposition `U S V^T` of a matrix: the nearest rotation. */
export function nearestRotation(matrix: ArrayLike<number>, size: number): Float64Array {
  const { leftSingularVectors, rightSingularVectors } = new SingularValueDecomposition(
    Matrix.from1DArray(size, size, matrix),
  );
  return orthonormal(leftSingularVectors.mmul(rightSingularVectors.transpose()));
}

/** Eigenvectors of a symmetric matrix as rows, with their values, the largest first. */
interface Eigenvectors {
  /** Orthonormal vectors, `[size, size]`. */
  readonly vectors: Float64Array;
  /** Value of each vector. */
  readonly values: Float64Array;
}

/** Computes the eigenvectors of a symmetric matrix. */
export function decompose(matrix: ArrayLike<number>, size: number): Eigenvectors {
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(
    Matrix.from1DArray(size, size, matrix),
    { assumeSymmetric: true },
  );
  const order = realEigenvalues
    .map((_, k) => k)
    .sort((x, y) => at(realEigenvalues, y, "eigenvalue") - at(realEigenvalues, x, "eigenvalue"));
  return {
    vectors: orthonormal(eigenvectorMatrix.subMatrixColumn(order).transpose()),
    values: Float64Array.from(order, (k) => at(realEigenvalues, k, "eigenvalue")),
  };
}

/** Returns the rows of a matrix in row-major order, made orthonormal to the last digit. */
function orthonormal(matrix: Matrix): Float64Array {
  const size = matrix.rows;
  const rows = Float64Array.from(matrix.to1DArray());
  for (let i = 0; i < size; i++) {
    const row = rows.subarray(i * size, (i + 1) * size);
    for (let j = 0; j < i; j++) {
      const other = rows.subarray(j * size, (j + 1) * size);
      const along = inner(row, other);
      for (let k = 0; k < size; k++) row[k] = (row[k] as number) - along * (other[k] as number);
    }
    const length = Math.sqrt(inner(row, row));
    for (let k = 0; k < size; k++) row[k] = (row[k] as number) / length;
  }
  return rows;
}

/** Computes the sum of the products of the elements of two vectors. */
export function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}

/**
 * Computes the eigenvectors and values of the matrix `S^2` for which `S F S = S^-1 G S^-1`; undefined if `F`
 * or `G` has no inverse.
 */
export function balanceOf(
  front: ArrayLike<number>,
  behind: ArrayLike<number>,
  size: number,
): Eigenvectors | undefined {
  const root = power(front, size, 0.5);
  const inverse = power(front, size, -0.5);
  if (root === undefined || inverse === undefined) return undefined;
  const inner = root.mmul(Matrix.from1DArray(size, size, behind)).mmul(root);
  const middle = power(inner.to1DArray(), size, 0.5);
  if (middle === undefined) return undefined;
  const mean = inverse.mmul(middle).mmul(inverse);
  return decompose(mean.add(mean.transpose()).mul(0.5).to1DArray(), size);
}

/** Raises a symmetric positive definite matrix to a power; undefined if the matrix is not definite. */
function power(matrix: ArrayLike<number>, size: number, exponent: number): Matrix | undefined {
  const { vectors, values } = decompose(matrix, size);
  const [largest, least] = [at(values, 0, "eigenvalue"), at(values, size - 1, "eigenvalue")];
  if (!(largest > 0 && least > RANK_TOLERANCE * largest)) return undefined;
  const rows = Matrix.from1DArray(size, size, vectors);
  const scaled = Matrix.diag(Array.from(values, (value) => value ** exponent));
  return rows.transpose().mmul(scaled).mmul(rows);
}
