import { at, blendInto, type Elements, lerpInto, sumOf } from "@isthmus/core";
import { averageInto } from "@isthmus/interpolation";

/** Largest distance of a sum of weights from 1 that counts as rounding error. */
const ROUNDING = 1e-12;

/**
 * Computes a weighted sum of stored elements in f32 (f64 if an array is f64), and rounds it once to the type
 * of `out`.
 *
 * Every average of this package is computed here. Weights of 0 are left out. If weights of sum 1 are
 * positive, or there are only two, equal elements stay unchanged, bit for bit: the mean of copies of a
 * network is that network.
 *
 * @param parts - at least one array, each as long as `out`
 * @param weights - factor of each part, finite
 */
export function addWeightedInto(parts: readonly Elements[], weights: readonly number[], out: Elements): void {
  const positions = positionsOfWeight(weights);
  const used = positions.map((i) => at(parts, i, "part"));
  const factors = positions.map((i) => at(weights, i, "weight"));
  const sum = sumOf(factors);
  if (Math.abs(sum - 1) > ROUNDING) blendInto(used, factors, out);
  else if (used.length === 2) lerpInto(at(used, 0), at(used, 1), at(factors, 1), out);
  else averageInto(used, factors, out);
}

/** Returns the positions of the weights other than 0; the first position if all weights are 0. */
export function positionsOfWeight(weights: readonly number[]): number[] {
  const positions = weights.flatMap((weight, i) => (weight === 0 ? [] : [i]));
  return positions.length === 0 ? [0] : positions;
}
