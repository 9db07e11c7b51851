import { UsageError } from "@isthmus/core";
import type { CoefficientGroup } from "./coefficient-groups.ts";

/** Size of a sum of weights below which it counts as 0. */
const LEAST_SUM = 1e-8;

/**
 * Writes the factors of the directions that belong to weights `[groups * models]`: weights, or their shares
 * of the sum of their group.
 * @throws UsageError if weights that are divided by their sum have the sum 0
 */
export function effectiveInto(
  groups: readonly Pick<CoefficientGroup, "name" | "isNormalized">[],
  weights: Float64Array,
  out: Float64Array,
): void {
  out.set(weights);
  const models = weights.length / groups.length;
  for (const [g, { name, isNormalized }] of groups.entries()) {
    if (!isNormalized) continue;
    const row = out.subarray(g * models, (g + 1) * models);
    const sum = row.reduce((total, weight) => total + weight, 0);
    if (Math.abs(sum) < LEAST_SUM) {
      throw new UsageError(
        `Cannot merge "${name}" as weights are divided by their sum, which must not be 0: write normalize: false, or learn with --sum 1`,
      );
    }
    for (let k = 0; k < models; k++) row[k] = (row[k] as number) / sum;
  }
}

/**
 * Turns derivatives by the factors of directions into derivatives by weights, in place: for weights divided
 * by their sum, `(derivative - sum of factors times derivatives) / sum of weights`.
 */
export function derivativesInPlace(
  groups: readonly Pick<CoefficientGroup, "isNormalized">[],
  { weights, factors }: { readonly weights: Float64Array; readonly factors: Float64Array },
  derivatives: Float64Array,
): void {
  const models = weights.length / groups.length;
  for (const [g, { isNormalized }] of groups.entries()) {
    if (!isNormalized) continue;
    const begin = g * models;
    let sum = 0;
    let mean = 0;
    for (let i = begin; i < begin + models; i++) {
      sum += weights[i] as number;
      mean += (factors[i] as number) * (derivatives[i] as number);
    }
    for (let i = begin; i < begin + models; i++) derivatives[i] = ((derivatives[i] as number) - mean) / sum;
  }
}
