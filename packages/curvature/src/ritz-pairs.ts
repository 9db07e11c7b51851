import { at } from "@isthmus/core";
import type { SymmetricEigen } from "@isthmus/linear-algebra";
import type { KrylovSpace } from "./lanczos.ts";
import { addMultipleInPlace } from "./vectors.ts";

/** Ends of a spectrum at which eigenvalues are computed. */
export const SPECTRUM_ENDS = ["largest", "smallest", "both"] as const;

/** An end of a spectrum, or both. */
export type SpectrumEnd = (typeof SPECTRUM_ENDS)[number];

/** Computed eigenvalue, with a bound of its error. */
export interface ComputedEigenvalue {
  /** Computed eigenvalue. */
  readonly value: number;
  /** Bound of the distance between the value and an eigenvalue of the operator. */
  readonly residual: number;
}

/** An eigenvalue and its vector. */
export interface Eigenpair {
  /** Computed eigenvalue. */
  readonly value: number;
  /**
   * Bound of the length of `A v - value v` for the vector `v`: an eigenvalue of the operator is at least as
   * near to `value`.
   */
  readonly residual: number;
  /** Eigenvector, `[dimension]`, of length 1. */
  readonly vector: Float64Array;
}

/** A space on which an operator is tridiagonal, and its eigenvalues there, falling. */
export interface RitzSpace {
  /** Krylov space that was built by products with the operator. */
  readonly space: KrylovSpace;
  /** Eigenvalues of the tridiagonal matrix, falling, and their vectors in the basis of the space. */
  readonly eigen: SymmetricEigen;
}

/**
 * Lists the indices of the outermost eigenvalues at the given ends of the spectrum, the outermost first, each
 * once.
 */
export function placesAt(
  { eigen }: RitzSpace,
  { ends, count }: { readonly ends: readonly ("largest" | "smallest")[]; readonly count: number },
): number[] {
  const size = eigen.values.length;
  const largest = Array.from({ length: Math.min(count, size) }, (_, i) => i);
  return [...new Set(ends.flatMap((end) => largest.map((i) => (end === "largest" ? i : size - 1 - i))))];
}

/** Returns the largest absolute eigenvalue of a space and of some pairs. */
export function spectrumSize({ eigen }: RitzSpace, pairs: readonly Eigenpair[]): number {
  const values = [...eigen.values, ...pairs.map(({ value }) => value)];
  return values.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
}

/**
 * Returns a bound of the residual of an eigenvector on the space: the part of the vector's product that leads
 * out of the space, and the parts of products within the space that the tridiagonal matrix does not account
 * for, such as rounding errors of an f32 graph.
 */
export function ritzResidual({ space, eigen: { vectors } }: RitzSpace, place: number): number {
  const weights = space.rounding.map((_, i) => at(vectors.data, i * vectors.columns + place, "element"));
  const last = weights.length - 1;
  const outside = at(space.coupling, last, "coupling") * at(weights, last, "weight");
  const inside = space.rounding.reduce((sum, part, i) => sum + Math.abs(part * at(weights, i, "weight")), 0);
  return Math.hypot(outside, inside);
}

/**
 * Returns an eigenvalue and its vector in all dimensions.
 * @param beside - pairs that the space was made orthogonal to, whose own residuals add to the pair's
 */
export function ritzPair(ritz: RitzSpace, place: number, beside: readonly Eigenpair[]): Eigenpair {
  const { basis } = ritz.space;
  const { data, columns } = ritz.eigen.vectors;
  const vector = new Float64Array(at(basis, 0, "vector").length);
  basis.forEach((x, i) => {
    addMultipleInPlace(vector, at(data, i * columns + place, "element"), x);
  });
  const residual = Math.hypot(ritzResidual(ritz, place), ...beside.map((pair) => pair.residual));
  return { value: at(ritz.eigen.values, place, "eigenvalue"), residual, vector };
}
