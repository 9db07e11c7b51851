import { at } from "@isthmus/core";

/** Least product of two lengths in the cosine, so that vectors of length 0 have a right angle. */
const LEAST_LENGTHS = 1e-6;

/** Size of a denominator below which it counts as 0. */
const LEAST_DENOMINATOR = 1e-6;

/**
 * Computes the step from a base towards the mean of `N` networks: `t = N cos / (1 + (N - 1) cos)`, where
 * `cos` is the mean cosine of the angles between their differences from the base.
 *
 * If the denominator vanishes, the networks pull apart, and the formula does not apply: the base is kept.
 * @param products - inner products of the differences, `[N][N]`; only the upper half is read
 */
export function stockRatio(products: readonly (readonly number[])[]): number {
  const lengths = products.map((row, i) => Math.sqrt(at(row, i, "network")));
  const count = products.length;
  let sum = 0;
  for (const [i, row] of products.entries()) {
    for (let j = i + 1; j < count; j++) {
      const size = Math.max(at(lengths, i, "network") * at(lengths, j, "network"), LEAST_LENGTHS);
      sum += Math.max(-1, Math.min(1, at(row, j, "network") / size));
    }
  }
  const cosine = sum / ((count * (count - 1)) / 2);
  const denominator = 1 + (count - 1) * cosine;
  return Math.abs(denominator) < LEAST_DENOMINATOR ? 0 : (count * cosine) / denominator;
}
