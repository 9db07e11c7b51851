import type { PairStatistics } from "@isthmus/statistics";

/**
 * How alike two units are, from their activations over the same samples: their correlation, their covariance, or the mean of
 * their product, which the reference implementation of Git Re-Basin takes.
 */
export type ActivationSimilarity = "correlation" | "covariance" | "product";

/** Deviation, relative to the mean, up to which a unit counts as constant: rounding of f32 makes as much. */
const CONSTANT = 1e-6;

/**
 * Adds how alike all units of A and of B are, `[units, units]`. A unit that never varies is like no other: 0, never NaN.
 */
export function addSimilarity(
  { a, b, covariance }: PairStatistics,
  similarity: ActivationSimilarity,
  out: Float64Array,
): void {
  const ofA = scalesOf(a, similarity);
  const ofB = scalesOf(b, similarity);
  const units = a.mean.length;
  for (let u = 0; u < units; u++) {
    for (let v = 0; v < units; v++) {
      const shared = similarity === "product" ? (a.mean[u] ?? 0) * (b.mean[v] ?? 0) : 0;
      const value = ((covariance[u * units + v] ?? 0) + shared) * (ofA[u] ?? 0) * (ofB[v] ?? 0);
      out[u * units + v] = (out[u * units + v] ?? 0) + value;
    }
  }
}

/** Factor of each unit: one over its deviation for correlations, else 1. */
function scalesOf({ mean, variance }: PairStatistics["a"], similarity: ActivationSimilarity): Float64Array {
  return variance.map((value, unit) => {
    if (similarity !== "correlation") return 1;
    const deviation = Math.sqrt(value);
    return deviation > CONSTANT * Math.abs(mean[unit] ?? 0) ? 1 / deviation : 0;
  });
}
