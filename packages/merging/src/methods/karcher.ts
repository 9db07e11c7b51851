import { sizeOf } from "@isthmus/core";
import { normalizeWeights } from "@isthmus/interpolation";
import type { MergeMethod } from "../merge-method.ts";
import { meanOnSphere } from "../sphere/mean-on-sphere.ts";
import { measureGram } from "../sphere/measure-gram.ts";
import { addWeightedInto } from "../weighted-sum.ts";

const PARAMETERS = {
  weight: {
    description: "How much of the network is in the result; only ratios count.",
    of: "network",
    default: 1,
    least: 0,
  },
  max_iter: {
    description: "Largest number of steps towards the mean.",
    of: "merge",
    default: 10,
    least: 0,
  },
  tol: {
    description:
      "Length of a step, in radians, below which the mean is reached, and of a tensor that counts.",
    of: "merge",
    default: 1e-5,
    least: 0,
  },
} as const;

/**
 * Mean of networks on the sphere of each tensor: the direction from which the paths to all networks cancel,
 * with the mean of the networks' lengths.
 *
 * The iteration runs on the Gram matrix of each tensor, after one pass over the networks. Differs from
 * mergekit: networks may have weights; by default they count equally, as in mergekit.
 */
export const karcher: MergeMethod<typeof PARAMETERS, readonly number[]> = {
  name: "karcher",
  description: "Finds the mean of directions on the sphere, and averages lengths on the line.",
  source: "Karcher, Riemannian center of mass and mollifier smoothing, 1977; mergekit 0.1.5",
  parameters: PARAMETERS,
  networks: { least: 1, base: "none" },
  dividesByWeights: () => true,
  async survey(tensor) {
    const { weight, max_iter, tol } = tensor.parameters;
    return meanOnSphere(await measureGram(tensor), normalizeWeights(weight, weight.length), {
      tensor: tensor.name,
      size: sizeOf(tensor.info.shape),
      steps: max_iter,
      tolerance: tol,
      shortest: tol,
    });
  },
  blendInto: ({ parts, survey: factors }, out) => addWeightedInto(parts, factors, out),
};
