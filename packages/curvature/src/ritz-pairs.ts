import { at } from "@isthmus/core";
import type { SymmetricEigen } from "@isthmus/linear-algebra";
import type { KrylovSpace } from "./lanczos.ts";
import { addMultipleInPlace } from "./vectors.ts";

/** Ends of a spectrum at which eigenvalues are computed. */
export const SPECTRUM_ENDS = ["largest", "smallest", "both"] as const;

/** An end of a spectrum, or both. */
export type SpectrumEnd = (typeof SPECTRUM_ENDS)[number];

/** An eigenvalue as it was computed. */
export interface ComputedEigenvalue {
  readonly value: number;
  /** An eigenvalue of the operator is at most this far from the value. */
  readonly residual: number;
}

/** An eigenvalue and its vector. */
export interface Eigenpair {
  readonly value: number;
  /**
   * The length of `A v - value v` for the vector `v` is at most this: an eigenvalue is as near.
   */
  readonly residual: number;
  /** `[dimension]`, of length 1. */
  readonly vector: Float64Array;
}

/** A space on which an operator is tridiagonal, and its eigenvalues there, falling. */
export interface RitzSpace {
  readonly space: KrylovSpace;
  readonly eigen: SymmetricEigen;
}

/** Lists the places of so many eigenvalues at each of some ends, the outermost first, each once. */
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
 * Returns a bound of the residual of an eigenvector on the space: the part of its product that leads out of
 * it, and what products had within it beside the tridiagonal matrix, as products of an f32 graph have.
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
