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

/** Options of {@link meanOnSphere}. */
export interface SphereMeanOptions {
  /** Name of the tensor, for messages. */
  readonly tensor: string;
  /**
   * Number of steps from the normalised weighted mean towards the mean on the sphere; a step is exact for two
   * vectors.
   */
  readonly steps: number;
  /** Length of a step below which the search ends, in radians. */
  readonly tolerance: number;
  /** Length up to which vectors have no direction and do not count. */
  readonly shortest: number;
  /** Number of elements of the tensor; a single number has no direction and is averaged on the line. */
  readonly size: number;
}

/**
 * Returns the factors of vectors in their weighted mean on the sphere, with the weighted mean of their
 * lengths.
 *
 * The mean of directions is the point from which the weighted paths to all directions cancel (Karcher 1977).
 * It is found by steps in the tangent plane, from the normalised weighted mean. All points are in the span of
 * the vectors, so that the Gram matrix suffices. Vectors of one direction are averaged on their line. A
 * negative sum of weights does not reverse directions: they are weighted by shares of the sum.
 *
 * @param gram - inner products of the vectors, `[vectors][vectors]`
 * @param shares - weight of each vector, normalised for directions but not for the length
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

/** Length of a mean of unit vectors up to which they cancel out. */
const CANCELLED = 1e-8;

function startingPoint(span: UnitSpan, weights: readonly number[], tensor: string): number[] {
  if (Math.abs(lengthIn(span, weights)) > CANCELLED) return scaleToUnit(span, weights);
  throw new MismatchError(
    `Cannot average "${tensor}" on the sphere as directions must not cancel out: their weighted sum is 0; ` +
      "use other weights, or method linear",
    { parameters: [tensor] },
  );
}
