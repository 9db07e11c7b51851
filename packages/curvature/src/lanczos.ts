import { at, type Random } from "@isthmus/core";
import { createMatrix, type SymmetricEigen, symmetricEigen } from "@isthmus/linear-algebra";
import { Overlaps } from "./overlaps.ts";
import {
  addMultipleInPlace,
  addTwoMultiplesInPlace,
  norm,
  orthogonalizeInPlace,
  partsAlong,
  randomDirection,
  scaleInPlace,
} from "./vectors.ts";

/** Fraction of the operator's size below which the remainder of a product counts as rounding error. */
const ROUNDING = 1e-13;

/** Inputs of the construction of a Krylov space. */
export interface LanczosOptions {
  /** First vector, of length 1, orthogonal to the locked ones. */
  readonly start: Float64Array;
  /** Largest dimension of the space. */
  readonly steps: number;
  /** Random numbers for a new direction, which is drawn when products stay within the space. */
  readonly random: Random;
  /** Function that returns the product of the operator with a vector, both `[dimension]`. */
  readonly multiply: (vector: Float64Array) => Promise<Float64Array>;
  /** Orthonormal vectors that the space must be orthogonal to. @defaultValue none */
  readonly locked?: readonly Float64Array[];
  /**
   * Whether vectors are made orthogonal only as often as the matrix of the operator needs; their scalar
   * products are then up to 1e-5. Only for spaces without locked vectors. @defaultValue false
   */
  readonly isLoose?: boolean;
  /** Returns whether the space is large enough; called after every step. */
  readonly isEnough?: (space: KrylovSpace) => boolean;
}

/** Krylov space, on which an operator is a tridiagonal matrix. */
export interface KrylovSpace {
  /** Orthonormal vectors, one for each step. */
  readonly basis: readonly Float64Array[];
  /** Diagonal of the operator's matrix in the basis. */
  readonly diagonal: readonly number[];
  /**
   * Off-diagonal of the operator's matrix in the basis: the coupling of each vector to the next one; the last
   * coupling leads out of the space.
   */
  readonly coupling: readonly number[];
  /**
   * Length of the part of each product within the space that diagonal and coupling do not account for:
   * rounding error.
   */
  readonly rounding: readonly number[];
}

/**
 * Builds a space step by step on which an operator is tridiagonal (Lanczos), every vector made orthogonal to
 * all before. If the space is closed under the operator, the construction goes on in a new direction, so that
 * repeated eigenvalues are found as often as they occur.
 */
export async function lanczos({
  start,
  steps,
  random,
  multiply,
  locked = [],
  isLoose = false,
  isEnough,
}: LanczosOptions): Promise<KrylovSpace> {
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const coupling: number[] = [];
  const rounding: number[] = [];
  const most = start.length - locked.length;
  const limit = Math.min(steps, most);
  const overlaps = isLoose ? new Overlaps() : undefined;
  let next: Float64Array | undefined = start;
  let scale = 0;
  while (next !== undefined && basis.length < limit) {
    const vector: Float64Array = next;
    const product = await multiply(vector);
    const { parts: along, length } = partsAlong(product, [vector]);
    scale = Math.max(scale, length);
    const inVector = at(along, 0, "part");
    diagonal.push(inVector);
    const before = basis.at(-1);
    if (before === undefined) addMultipleInPlace(product, -inVector, vector);
    else {
      const inBefore = at(coupling, coupling.length - 1, "coupling");
      addTwoMultiplesInPlace(product, [-inBefore, before], [-inVector, vector]);
    }
    basis.push(vector);
    // Both sets are orthogonalized against at once: after one set alone, the rounding error along the other
    // set would not be small beside the remainder of a product that is nearly within the space.
    const plain = overlaps === undefined ? 0 : norm(product);
    const isLeft = overlaps?.areSmall({ diagonal, coupling }, plain) ?? false;
    const { parts, left } = isLeft
      ? { parts: new Float64Array(0), left: plain }
      : orthogonalizeInPlace(product, [...locked, ...basis]);
    if (!isLeft) overlaps?.takeOut(parts, plain);
    rounding.push(norm(parts.subarray(locked.length)));
    const isClosed = basis.length === most || left <= ROUNDING * scale;
    coupling.push(isClosed ? 0 : left);
    if (isEnough?.({ basis, diagonal, coupling, rounding })) break;
    if (!isClosed) scaleInPlace(product, 1 / left);
    next = isClosed ? directionBeside(random, start.length, [...locked, ...basis]) : product;
  }
  return { basis, diagonal, coupling, rounding };
}

/**
 * Draws a direction orthogonal to orthonormal vectors, of length 1; undefined if the vectors span the whole
 * space.
 */
export function directionBeside(
  random: Random,
  dimension: number,
  vectors: readonly Float64Array[],
): Float64Array | undefined {
  if (vectors.length >= dimension) return undefined;
  const direction = randomDirection(random, dimension);
  const { left } = orthogonalizeInPlace(direction, vectors);
  scaleInPlace(direction, 1 / left);
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
