import { at, type Random } from "@isthmus/core";
import { createMatrix, type SymmetricEigen, symmetricEigen } from "@isthmus/linear-algebra";
import {
  addMultipleInPlace,
  innerProduct,
  norm,
  orthogonalizeInPlace,
  randomDirection,
  scaleInPlace,
} from "./vectors.ts";

/** Part of the operator's size below which what is left of a product is rounding. */
const ROUNDING = 1e-13;

/** How a Krylov space is built. */
export interface LanczosOptions {
  /** First vector, of length 1, orthogonal to the locked ones. */
  readonly start: Float64Array;
  /** Largest dimension of the space. */
  readonly steps: number;
  /** Draws a new direction where products stay within the space. */
  readonly random: Random;
  readonly multiply: (vector: Float64Array) => Promise<Float64Array>;
  /** Orthonormal vectors that the space must be orthogonal to. @defaultValue none */
  readonly locked?: readonly Float64Array[];
  /** Returns whether the space is large enough; it is asked after every step. */
  readonly isEnough?: (space: KrylovSpace) => boolean;
}

/** A space on which an operator is a tridiagonal matrix. */
export interface KrylovSpace {
  /** Orthonormal vectors, one for each step. */
  readonly basis: readonly Float64Array[];
  /** The operator on the basis: its diagonal. */
  readonly diagonal: readonly number[];
  /** The operator on the basis: what couples each vector to the next; the last leads out of the space. */
  readonly coupling: readonly number[];
  /** Length of what each product had within the space beside these two, which is rounding. */
  readonly rounding: readonly number[];
}

/**
 * Builds a space step by step on which an operator is tridiagonal (Lanczos), every vector made orthogonal to
 * all before. Where the space is closed, it goes on in a new direction, so that eigenvalues that occur more
 * than once turn up as often.
 */
export async function lanczos({
  start,
  steps,
  random,
  multiply,
  locked = [],
  isEnough,
}: LanczosOptions): Promise<KrylovSpace> {
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const coupling: number[] = [];
  const rounding: number[] = [];
  const most = start.length - locked.length;
  const limit = Math.min(steps, most);
  let next: Float64Array | undefined = start;
  let scale = 0;
  while (next !== undefined && basis.length < limit) {
    const vector: Float64Array = next;
    const product = await multiply(vector);
    scale = Math.max(scale, norm(product));
    const before = basis.at(-1);
    diagonal.push(innerProduct(vector, product));
    if (before !== undefined)
      addMultipleInPlace(product, -at(coupling, coupling.length - 1, "coupling"), before);
    addMultipleInPlace(product, -at(diagonal, diagonal.length - 1, "diagonal"), vector);
    basis.push(vector);
    // All at once: what one set leaves of the other is not small beside a product nearly within the space.
    const parts = orthogonalizeInPlace(product, [...locked, ...basis]);
    rounding.push(norm(parts.subarray(locked.length)));
    const left = norm(product);
    const isClosed = basis.length === most || left <= ROUNDING * scale;
    coupling.push(isClosed ? 0 : left);
    if (isEnough?.({ basis, diagonal, coupling, rounding })) break;
    if (!isClosed) scaleInPlace(product, 1 / left);
    next = isClosed ? directionBeside(random, start.length, [...locked, ...basis]) : product;
  }
  return { basis, diagonal, coupling, rounding };
}

/**
 * Draws a direction orthogonal to orthonormal vectors, of length 1; undefined if these span everything.
 */
export function directionBeside(
  random: Random,
  dimension: number,
  vectors: readonly Float64Array[],
): Float64Array | undefined {
  if (vectors.length >= dimension) return undefined;
  const direction = randomDirection(random, dimension);
  orthogonalizeInPlace(direction, vectors);
  scaleInPlace(direction, 1 / norm(direction));
  return direction;
}

/** Computes the eigenvalues of the operator on the space, falling, and their vectors in the basis. */
export function spaceEigen({
  diagonal,
  coupling,
}: Pick<KrylovSpace, "diagonal" | "coupling">): SymmetricEigen {
  const n = diagonal.length;
  const data = new Float64Array(n * n);
  diagonal.forEach((value, i) => {
    data[i * n + i] = value;
    if (i + 1 < n) data[i * n + i + 1] = data[(i + 1) * n + i] = at(coupling, i, "coupling");
  });
  return symmetricEigen(createMatrix(n, n, data));
}
