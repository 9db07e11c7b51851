import { at } from "@isthmus/core";
import { normalizeWeights } from "@isthmus/interpolation";
import type { MergeMethod } from "../merge-method.ts";
import { addWeightedInto, positionsOfWeight } from "../weighted-sum.ts";

const PARAMETERS = {
  weight: {
    description:
      "How much of the network is in the result; only ratios count, unless weights are not normalised.",
    of: "network",
    default: 1,
  },
  normalize: {
    description:
      "Whether weights are divided by their sum; without it, the result is the plain sum of products.",
    of: "merge",
    default: true,
  },
} as const;

/**
 * The weighted average of networks, `sum of w_i x_i / sum of w_i`; weights may differ from tensor to
 * tensor. Without `normalize` it is `sum of w_i x_i`.
 *
 * With equal weights it is the uniform soup of Wortsman et al.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { linear, merge } from "@isthmus/merging";
 *
 * const vector = (x: number) => createTensor("f32", [2], Float32Array.of(x, 2 * x));
 * const network = (x: number) => createCheckpoint({ w: vector(x) });
 * const merged = merge([network(1), network(2), network(6)], { method: linear }); // all weigh the same
 * assert.deepEqual((await merged.read("w")).data, Float32Array.of(3, 6));
 * ```
 */
export const linear: MergeMethod<typeof PARAMETERS, readonly number[]> = {
  name: "linear",
  description: "Averages networks, each by its weight.",
  source:
    "Utans, Weight averaging for neural networks and local resampling schemes, 1996; Wortsman et al., Model soups, 2022",
  parameters: PARAMETERS,
  networks: { least: 1, base: "none" },
  // The counters of the nearer of two networks; of the first one if both are equally near, or there are more.
  integersFrom: ({ weight }) =>
    weight.length === 2 && Math.abs(at(weight, 1)) > Math.abs(at(weight, 0)) ? 1 : 0,
  dividesByWeights: ({ normalize }) => normalize,
  networksRead: ({ weight }) => positionsOfWeight(weight),
  survey: ({ parameters: { weight, normalize } }) =>
    normalize ? normalizeWeights(weight, weight.length) : weight,
  blendInto: ({ parts, survey: shares }, out) => addWeightedInto(parts, shares, out),
};
