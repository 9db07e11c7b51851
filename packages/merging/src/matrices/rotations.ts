import { InvariantError, OutOfRangeError } from "@isthmus/core";
import {
  createMatrix,
  type Matrix,
  type MatrixProducts,
  polarFactor,
  solvePositiveDefinite,
} from "@isthmus/linear-algebra";
import { SMALL } from "./held-bytes.ts";
import { addToDiagonal, splitSquare } from "./kernels/rotations.ts";
import { addScaled } from "./kernels/task-vectors.ts";
import { trace } from "./kernels/traces.ts";

/**
 * Finds the rotation of the inputs that brings one matrix nearest to another (orthogonal Procrustes): R with
 * least `|from R - to|`, `U V^T` of `from^T to = U S V^T`.
 *
 * If the matrices have fewer rows than columns, many rotations are equally near; of these it is the nearest
 * to no rotation, found by adding a small multiple of the identity. The same sum is what a rotation loses in
 * directions in which the matrices are nearly zero.
 * @param from - `[m, n]`
 * @param to - `[m, n]`
 * @returns `[n, n]`, in f64 if it is small, otherwise in f32
 * @throws OutOfRangeError if an element is not finite
 */
export async function nearestRotation(from: Matrix, to: Matrix, products: MatrixProducts): Promise<Matrix> {
  const exact = await products.multiply(from, to, { transposeLeft: true });
  const isSmall = exact.columns <= SMALL;
  const overlap = isSmall ? exact : { ...exact, data: Float32Array.from(exact.data) };
  const norm = Math.sqrt(trace(overlap.data, overlap.data));
  if (!Number.isFinite(norm)) {
    throw new OutOfRangeError(
      `Cannot find the rotation between two ${from.rows} x ${from.columns} matrices as all elements must be finite, and their products: some are not; look for what made them so`,
    );
  }
  addToDiagonal(overlap.data, overlap.columns, (isSmall ? 1e-8 : 1e-5) * norm);
  return polarFactor(overlap, products);
}

/**
 * Least eigenvalue of `2 + R + R^T` that counts, of at most 4, in f64 and in f32: of a turn by an angle of
 * 1e-4 or .01 less than a half turn.
 */
const LEAST = { f64: 1e-8, f32: 1e-4 } as const;

/**
 * Maps a rotation to the skew-symmetric matrix `(R + 1)^-1 (R - 1)`, its inverse Cayley transform: a turn by
 * an angle becomes the tangent of half of it.
 *
 * It is computed as `(2 + R + R^T)^-1 (R - R^T)`, which has the same value; the matrix that is
 * inverted is symmetric. A reflection, for which the transform is infinite, becomes zero.
 * @param rotation - `[n, n]`
 * @returns `[n, n]`, in f64
 */
export async function skewOfRotation(rotation: Matrix, products: MatrixProducts): Promise<Matrix> {
  const { rows, columns } = rotation;
  const [symmetric, skew] = [zeroSquare(columns), zeroSquare(columns)];
  splitSquare(rotation.data, columns, symmetric.data, skew.data);
  addToDiagonal(symmetric.data, columns, 2 + (rotation.data instanceof Float64Array ? LEAST.f64 : LEAST.f32));
  const solved = await solve(symmetric, skew, products);
  // Rounding leaves a part that is not skew.
  splitSquare(solved.data, rows, symmetric.data, skew.data);
  for (let i = 0; i < skew.data.length; i++) skew.data[i] = (skew.data[i] as number) / 2;
  return skew;
}

/**
 * Maps a skew-symmetric matrix to the rotation `(1 - A)^-1 (1 + A)`, its Cayley transform, computed as
 * `(1 - A^2)^-1 (1 + A)^2`.
 * @param skew - `[n, n]`, in f64
 * @returns `[n, n]`, in f64
 */
export async function rotationOfSkew(skew: Matrix, products: MatrixProducts): Promise<Matrix> {
  const size = skew.columns;
  const square = await products.multiply(skew, skew);
  const right = { ...square, data: square.data.slice() };
  addScaled(right.data, skew.data, 2);
  addToDiagonal(right.data, size, 1);
  for (let i = 0; i < square.data.length; i++) square.data[i] = -(square.data[i] as number);
  addToDiagonal(square.data, size, 1);
  return solve(square, right, products);
}

async function solve(matrix: Matrix, right: Matrix, products: MatrixProducts): Promise<Matrix> {
  const solved = await solvePositiveDefinite(matrix, right, products);
  if (solved === undefined) throw new InvariantError("the Cayley transform of a rotation has an inverse");
  return solved;
}

function zeroSquare(size: number): Matrix & { readonly data: Float64Array } {
  return createMatrix(size, size, new Float64Array(size * size)) as Matrix & { readonly data: Float64Array };
}
