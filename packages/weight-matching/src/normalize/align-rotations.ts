import { at, type Checkpoint } from "@isthmus/core";
import type { Rotation, RotationSpace, SymmetrySpec } from "@isthmus/symmetry";
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from "ml-matrix";
import { rotationProducts, unitSums } from "./rotation-products.ts";

/**
 * Finds the rotation of each cell of network B that brings it closest to network A, by orthogonal Procrustes:
 * of the products `C = sum A_i B_j = U S V^T` it is `U V^T`.
 *
 * @see Schönemann, "A generalized solution of the orthogonal Procrustes problem" (1966)
 * @returns a rotation of B's units for each space
 */
export async function alignRotations(
  networks: readonly [Checkpoint, Checkpoint],
  spec: SymmetrySpec,
  spaces: readonly RotationSpace[],
): Promise<Rotation[]> {
  const products = await rotationProducts(networks, spec, spaces);
  return spaces.map((space, i): Rotation => {
    const { size } = space;
    const matrix = Matrix.from1DArray(size, size, at(products, i, "space"));
    const { leftSingularVectors, rightSingularVectors } = new SingularValueDecomposition(matrix);
    return { space, matrix: orthonormal(leftSingularVectors.mmul(rightSingularVectors.transpose())) };
  });
}

/**
 * Finds the rotation of each cell that makes its units orthogonal to each other, the longest first, with sums
 * of elements that are not negative: the result does not depend on the rotation before, but for units of
 * equal length.
 */
export async function diagonalizeRotations(
  network: Checkpoint,
  spec: SymmetrySpec,
  spaces: readonly RotationSpace[],
): Promise<Rotation[]> {
  const products = await rotationProducts([network, network], spec, spaces);
  const sums = await unitSums(network, spec, spaces);
  return spaces.map((space, i): Rotation => {
    const { size } = space;
    const { vectors } = decompose(at(products, i, "space"), size);
    for (let start = 0; start < vectors.length; start += size) {
      const vector = vectors.subarray(start, start + size);
      if (inner(vector, at(sums, i, "space")) < 0) vector.set(vector.map((value) => -value));
    }
    return { space, matrix: vectors };
  });
}

/**
 * Computes the eigenvectors of a symmetric matrix as rows, orthonormal, with their values, the largest first.
 */
export function decompose(
  matrix: ArrayLike<number>,
  size: number,
): { readonly vectors: Float64Array; readonly values: Float64Array } {
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

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}
