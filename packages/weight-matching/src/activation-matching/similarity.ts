import { at } from "@isthmus/core";
import type { PairStatistics } from "@isthmus/statistics";
import { addScaledProducts } from "./kernels/costs.ts";

/**
 * A measure of how similar two units are, from their activations over the same samples: their correlation,
 * their covariance, or the mean of their product, as in the reference implementation of Git Re-Basin.
 */
export type ActivationSimilarity = "correlation" | "covariance" | "product";

/** Deviation, relative to the mean, up to which a unit counts as constant: rounding of f32 makes as much. */
const CONSTANT = 1e-6;

/**
 * Adds the similarity of all units of A and of B, `[units, units]`. A unit that never varies is similar to no
 * other: 0, never NaN.
 */
export function addSimilarity(
  { a, b, covariance }: PairStatistics,
  similarity: ActivationSimilarity,
  out: Float64Array,
): void {
  const ofA = scalesOf(a, similarity);
  const ofB = scalesOf(b, similarity);
  addScaledProducts(covariance, a.mean, b.mean, ofA, ofB, similarity !== "product", out);
}

/** Computes the factor of each unit: one over its deviation for correlations, otherwise 1. */
function scalesOf({ mean, variance }: PairStatistics["a"], similarity: ActivationSimilarity): Float64Array {
  return variance.map((value, unit) => {
    if (similarity !== "correlation") return 1;
    const deviation = Math.sqrt(value);
    return deviation > CONSTANT * Math.abs(at(mean, unit, "unit")) ? 1 / deviation : 0;
  });
}
