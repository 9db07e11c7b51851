import { at, MismatchError } from "@isthmus/core";
import {
  createUnitSpan,
  followWay,
  lengthIn,
  meanWay,
  pointsOneWay,
  scaleToUnit,
  type UnitSpan,
} from "./unit-span.ts";

/** How a mean on the sphere is found. */
export interface SphereMeanOptions {
  /** Name of the tensor, for messages. */
  readonly tensor: string;
  /** Steps from the normalised plain mean towards the mean on the sphere; each is exact for two vectors. */
  readonly steps: number;
  /** Length of a step below which the search ends, in radians. */
  readonly tolerance: number;
  /** Vectors that are no longer than this have no direction and do not count. */
  readonly shortest: number;
  /** Number of elements of the tensor; a single number has no direction and is averaged on the line. */
  readonly size: number;
}

/**
 * Returns the factors of vectors in their weighted mean on the sphere, with the weighted mean of their
 * lengths.
 *
 * The mean of directions is the point from which the weighted ways to all of them cancel (Karcher 1977),
 * found by steps in the tangent plane from the normalised plain mean. Everything happens in the span of the
 * vectors, so the Gram matrix is all that is needed. Vectors of one direction are averaged on their line.
 * Weights that sum to a negative number turn nothing around: directions are weighted by shares of their sum.
 *
 * @param gram - inner products of the vectors, `[vectors][vectors]`
 * @param shares - weight of each vector; normalised for directions, as they are for the length
 * @returns factor of each vector
 * @throws MismatchError if directions cancel out, so that there is no mean
 */
export function meanOnSphere(
  gram: readonly (readonly number[])[],
  shares: readonly number[],
  { tensor, steps, tolerance, shortest, size }: SphereMeanOptions,
): number[] {
  const span = createUnitSpan(gram);
  const members = shares.flatMap((share, i) => (share !== 0 && at(span.norms, i) > shortest ? [i] : []));
  const total = members.reduce((sum, i) => sum + at(shares, i), 0);
  if (size <= 1 || members.length === 0 || pointsOneWay(span, members)) return [...shares];
  const weights = shares.map((share, i) => (members.includes(i) ? share / total : 0));
  let point = startingPoint(span, weights, tensor);
  for (let step = 0; step < steps; step++) {
    const way = meanWay(span, point, weights);
    if (lengthIn(span, way) < tolerance) break;
    point = followWay(span, point, way);
  }
  const length = shares.reduce((sum, share, i) => sum + share * at(span.norms, i), 0);
  return point.map((factor, i) => (members.includes(i) ? (length * factor) / at(span.norms, i) : 0));
}

/** Length of a mean of unit vectors below which they cancel out. */
const CANCELLED = 1e-8;

function startingPoint(span: UnitSpan, weights: readonly number[], tensor: string): number[] {
  if (Math.abs(lengthIn(span, weights)) > CANCELLED) return scaleToUnit(span, weights);
  throw new MismatchError(
    `Cannot average "${tensor}" on the sphere as directions must not cancel out: their weighted sum is 0; ` +
      "use other weights, or method linear",
    { parameters: [tensor] },
  );
}
