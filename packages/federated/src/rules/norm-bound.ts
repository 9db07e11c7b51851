import { at } from "@isthmus/core";
import type { LinearRule } from "./aggregation-rule.ts";
import { type OfMerge, weightedBy } from "./parameters.ts";
import { meanWeights, normsOf } from "./points.ts";

type NormBoundSpecs = { readonly bound: OfMerge<number>; readonly weighted: OfMerge<boolean> };

const PARAMETERS: NormBoundSpecs = {
  bound: {
    description:
      "Largest length that the displacement of a client may have; longer ones are shortened to it.",
    of: "merge",
    least: 0,
  },
  weighted: weightedBy(true),
};

/** The mean of displacements, each shortened to a bound on its length if it is longer. */
export const normBound: LinearRule<NormBoundSpecs> = {
  kind: "linear",
  name: "norm-bound",
  description: "Averages the updates after shortening those that went too far.",
  source: "Sun et al., Can you really backdoor federated learning?, 2019, section 4",
  parameters: PARAMETERS,
  needs: ["norms"],
  robust: true,
  weigh(points, { bound, weighted }) {
    const norms = normsOf(points);
    const weights = meanWeights(points, weighted).map(
      (weight, i) => weight * clipFactor(at(norms, i), bound),
    );
    return { weights, chosen: weights.map((_, i) => i) };
  },
};

/** Returns the factor that shortens a vector to a bound; 1 if the vector is not longer. */
export function clipFactor(norm: number, bound: number): number {
  return norm > bound ? bound / norm : 1;
}
