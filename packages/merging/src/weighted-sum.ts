import { at, blendInto, type Elements, lerpInto } from "@isthmus/core";
import { averageInto } from "@isthmus/interpolation";

/** Largest distance of a sum of weights from 1 that is taken for rounding. */
const ROUNDING = 1e-12;

/**
 * Writes a weighted sum of stored elements, computed in f32 (f64 where an array is f64) and rounded once to
 * the type of `out`.
 *
 * Every average of this package ends here. Weights of 0 are left out. Weights of sum 1 that are positive, or
 * only two, are applied so that equal elements stay as they are, bit for bit: the mean of copies of a
 * network is that network.
 *
 * @param parts - at least one array, all of the length of `out`
 * @param weights - factor of each part, finite
 */
export function addWeightedInto(parts: readonly Elements[], weights: readonly number[], out: Elements): void {
  const positions = positionsOfWeight(weights);
  const used = positions.map((i) => at(parts, i, "part"));
  const factors = positions.map((i) => at(weights, i, "weight"));
  const sum = factors.reduce((total, weight) => total + weight, 0);
  if (Math.abs(sum - 1) > ROUNDING) blendInto(used, factors, out);
  else if (used.length === 2) lerpInto(at(used, 0), at(used, 1), at(factors, 1), out);
  else averageInto(used, factors, out);
}

/** Returns the positions of the weights that are not 0; the first, if all are. */
export function positionsOfWeight(weights: readonly number[]): number[] {
  const positions = weights.flatMap((weight, i) => (weight === 0 ? [] : [i]));
  return positions.length === 0 ? [0] : positions;
}
