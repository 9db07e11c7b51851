import { at, lerpInto } from "@isthmus/core";
import { averageInto, normalizeWeights } from "@isthmus/interpolation";
import type { MergeMethod } from "../merge-method.ts";

const PARAMETERS = {
  weight: {
    description: "How much of the network is in the result; only ratios count.",
    of: "network",
    default: 1,
  },
} as const;

/**
 * The weighted average of networks, `sum of w_i x_i / sum of w_i`; weights may differ from tensor to
 * tensor.
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
  integersFrom: ({ weight }) => (weight.length === 2 && at(normalizeWeights(weight, 2), 1) > 0.5 ? 1 : 0),
  survey: ({ parameters: { weight } }) => normalizeWeights(weight, weight.length),
  blendInto({ parts, survey: shares }, out) {
    const [from, to, ...more] = parts;
    if (from !== undefined && to !== undefined && more.length === 0) lerpInto(from, to, at(shares, 1), out);
    else averageInto(parts, shares, out);
  },
};
