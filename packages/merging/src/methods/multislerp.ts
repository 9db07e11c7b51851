import { sizeOf } from "@isthmus/core";
import { normalizeWeights } from "@isthmus/interpolation";
import type { MergeMethod } from "../merge-method.ts";
import { meanOnSphere } from "../sphere/mean-on-sphere.ts";
import { measureGram } from "../sphere/measure-gram.ts";
import { addWeightedInto } from "../weighted-sum.ts";

const PARAMETERS = {
  weight: {
    description: "How much of the network is in the result.",
    of: "network",
    default: 1,
  },
  normalize_weights: {
    description: "Whether weights are divided by their sum before lengths are averaged.",
    of: "merge",
    default: true,
  },
  eps: {
    description: "Length of a tensor up to which it has no direction and does not count.",
    of: "merge",
    default: 1e-8,
    least: 0,
  },
} as const;

/**
 * Weighted mean of any number of networks on the sphere of each tensor, by one step in the tangent plane at
 * their normalised weighted mean. With a base, it is the mean of the differences from the base.
 *
 * For two networks it is exactly slerp, for any weights. Differs from mergekit 0.1.5, which takes orthogonal
 * projections in place of paths along the sphere; their weighted sum is 0, so that its result has the
 * direction of the weighted mean. Both agree for two networks of equal weight.
 */
export const multislerp: MergeMethod<typeof PARAMETERS, readonly number[]> = {
  name: "multislerp",
  description:
    "Averages directions on the sphere and lengths on the line, by weights, for any number of networks.",
  source:
    "Buss and Fillmore, Spherical averages and applications, 2001, algorithm A1 (one step); mergekit 0.1.5",
  parameters: PARAMETERS,
  networks: { least: 1, base: "optional" },
  dividesByWeights: ({ normalize_weights }) => normalize_weights,
  async survey(tensor) {
    const { weight, normalize_weights, eps } = tensor.parameters;
    const shares = normalize_weights ? normalizeWeights(weight, weight.length) : weight;
    const factors = meanOnSphere(await measureGram(tensor), shares, {
      tensor: tensor.name,
      size: sizeOf(tensor.info.shape),
      steps: 1,
      tolerance: 0,
      shortest: eps,
    });
    if (tensor.base === undefined) return factors;
    return [...factors, factors.reduce((rest, factor) => rest - factor, 1)];
  },
  blendInto({ parts, base, survey: factors }, out) {
    addWeightedInto(base === undefined ? parts : [...parts, base], factors, out);
  },
};
