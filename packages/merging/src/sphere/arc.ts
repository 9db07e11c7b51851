/** Factors of two vectors in a point on the arc between them. */
export type ArcFactors = readonly [from: number, to: number];

/**
 * Returns the factors of two vectors in the point at `t` on the arc between them (Shoemake 1985, section
 * 3.3): `sin((1 - t) w) / sin w` and `sin(t w) / sin w`, `w` the angle between the vectors.
 *
 * Lengths are interpolated as well, because the vectors are not normalised.
 * @param cosine - cosine of the angle, strictly between -1 and 1
 */
export function arcFactors(cosine: number, t: number): ArcFactors {
  const angle = Math.acos(cosine);
  const sine = Math.sin(angle);
  return [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine];
}

/**
 * Returns the cosine of the angle between two vectors from their inner products.
 *
 * A vector of zeros has no direction: it counts as orthogonal to all other vectors, as in mergekit 0.1.5,
 * except to another vector of zeros, which it equals.
 */
export function cosineOf(product: number, squareFrom: number, squareTo: number): number {
  if (squareFrom === 0 && squareTo === 0) return 1;
  const lengths = Math.sqrt(squareFrom) * Math.sqrt(squareTo);
  return lengths === 0 ? 0 : Math.min(1, Math.max(-1, product / lengths));
}
