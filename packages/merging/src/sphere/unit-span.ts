import { at } from "@isthmus/core";

/**
 * Vectors of length 1 that are known by their cosines only. Other vectors are weighted sums of them. The
 * cosines suffice for the geometry of a sphere in any number of dimensions.
 */
export interface UnitSpan {
  /** Lengths of the vectors before they were normalised. */
  readonly norms: readonly number[];
  /**
   * Cosines between the vectors, `[vectors][vectors]`: 1 on the diagonal, 0 between a vector of length 0 and
   * others.
   */
  readonly cosines: readonly (readonly number[])[];
}

/** Returns lengths and cosines of vectors from their inner products `[vectors][vectors]`. */
export function createUnitSpan(gram: readonly (readonly number[])[]): UnitSpan {
  const norms = gram.map((row, i) => Math.sqrt(at(row, i)));
  const cosines = gram.map((row, i) =>
    row.map((product, j) => {
      if (i === j) return 1;
      const lengths = at(norms, i) * at(norms, j);
      return lengths === 0 ? 0 : Math.min(1, Math.max(-1, product / lengths));
    }),
  );
  return { norms, cosines };
}

/** Least cosine of equal directions; the rest is rounding of sums in f64. */
const SAME_DIRECTION = 1 - 1e-12;

/** Checks whether the given vectors of a span all point in one direction. */
export function pointsOneWay({ cosines }: UnitSpan, members: readonly number[]): boolean {
  return members.every((i) => members.every((j) => at(at(cosines, i), j) >= SAME_DIRECTION));
}

/**
 * Returns the inner product of a weighted sum of the unit vectors with each unit vector.
 * @param factors - factor of each unit vector
 */
function cosinesWith({ cosines }: UnitSpan, factors: readonly number[]): number[] {
  return cosines.map((row) => row.reduce((sum, cosine, j) => sum + cosine * at(factors, j), 0));
}

/** Returns the length of a weighted sum of the unit vectors. */
export function lengthIn(span: UnitSpan, factors: readonly number[]): number {
  const products = cosinesWith(span, factors);
  const square = factors.reduce((sum, factor, i) => sum + factor * at(products, i), 0);
  return Math.sqrt(Math.max(0, square));
}

/**
 * Returns the weighted mean, in the tangent plane at a point of the sphere, of the shortest paths from it to
 * the unit vectors: `sum of w_i theta_i / sin(theta_i) (u_i - cos(theta_i) m)`.
 * @param point - factors of a vector `m` of length 1
 * @param weights - weight of each path; vectors of weight 0 do not count
 * @returns factors of the tangent vector
 */
export function meanWay(span: UnitSpan, point: readonly number[], weights: readonly number[]): number[] {
  const cosines = cosinesWith(span, point).map((cosine) => Math.min(1, Math.max(-1, cosine)));
  const scales = cosines.map((cosine, i) => at(weights, i) * stretch(cosine));
  const shift = scales.reduce((sum, scale, i) => sum + scale * at(cosines, i), 0);
  return scales.map((scale, i) => scale - shift * at(point, i));
}

/**
 * Computes an angle divided by its sine, from the cosine; 1 for angle 0. For the opposite point it is 0,
 * because there are many shortest paths to it.
 */
function stretch(cosine: number): number {
  const angle = Math.acos(cosine);
  const sine = Math.sin(angle);
  if (sine < 1e-12) return cosine > 0 ? 1 : 0;
  return angle / sine;
}

/** Follows a tangent vector from a point along the sphere, and normalises the result. */
export function followWay(span: UnitSpan, point: readonly number[], way: readonly number[]): number[] {
  const length = lengthIn(span, way);
  if (length === 0) return [...point];
  const [stay, go] = [Math.cos(length), Math.sin(length) / length];
  return scaleToUnit(
    span,
    point.map((factor, i) => stay * factor + go * at(way, i)),
  );
}

/** Scales a weighted sum of the unit vectors to length 1; it must not be 0. */
export function scaleToUnit(span: UnitSpan, factors: readonly number[]): number[] {
  const length = lengthIn(span, factors);
  return factors.map((factor) => factor / length);
}
