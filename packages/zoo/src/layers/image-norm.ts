import { at } from "@isthmus/core";
import { batchNorm, groupNorm, layerNorm, transpose, type Value } from "@isthmus/graph/builder";
import { constant } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";

/** Norms of convolutional networks. */
export type ImageNorm = "batch" | "layer" | "group" | "none";

/** Maximum number of groups of a group norm. */
const MAX_GROUPS = 32;
/** Minimum number of channels in a group. */
const MIN_GROUP = 8;

/**
 * Returns the number of groups of a group norm: the largest number up to 32 that divides the channels into
 * groups of at least 8, or 1 if no number does.
 *
 * The result is the usual 32 from 256 channels on, and 2 to 8 as usual for small residual networks.
 */
export function groupsOf(channels: number): number {
  for (let groups = Math.min(MAX_GROUPS, Math.floor(channels / MIN_GROUP)); groups > 1; groups--) {
    if (channels % groups === 0) return groups;
  }
  return 1;
}

/**
 * Normalises `x [N, channels, height, width]`, with weights `name.weight` (1 at first) and `name.bias` (0); a
 * batch norm also has the statistics `name.running_mean` (0) and `name.running_var` (1).
 *
 * `layer` normalises over the channels of each pixel, as the networks of Git Re-Basin do; `group` over the
 * pixels and channels of each group; `none` returns `x`. Epsilon is 1e-5 everywhere.
 */
export function imageNorm(network: NetworkBuilder, x: Value, name: string, kind: ImageNorm): Value {
  if (kind === "none") return x;
  const channels = at(x.shape, 1, "axis");
  const scale = network.weight(`${name}.weight`, [channels], constant(1));
  const bias = network.weight(`${name}.bias`, [channels], constant(0));
  switch (kind) {
    case "batch": {
      const mean = network.weight(`${name}.running_mean`, [channels], constant(0), "statistic");
      const variance = network.weight(`${name}.running_var`, [channels], constant(1), "statistic");
      return batchNorm(x, { scale, bias, mean, variance });
    }
    case "group":
      return groupNorm(x, groupsOf(channels), { scale, bias });
    case "layer":
      return transpose(layerNorm(transpose(x, [0, 2, 3, 1]), { scale, bias }), [0, 3, 1, 2]);
  }
}
