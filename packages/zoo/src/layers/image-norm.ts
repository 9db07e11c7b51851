import { batchNorm, groupNorm, layerNorm, transpose, type Value } from "@isthmus/graph/builder";
import { constant } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";

/** Norms of convolutional networks. */
export type ImageNorm = "batch" | "layer" | "group" | "none";

/** Most groups, and fewest channels in one, of a group norm. */
const MAX_GROUPS = 32;
const MIN_GROUP = 8;

/**
 * Groups of a group norm: the most, up to 32, into which the channels divide evenly with at least 8 in each; 1 if there are none.
 *
 * That is the usual 32 from 256 channels on, and the 2 to 8 that small residual networks are used with.
 */
export function groupsOf(channels: number): number {
  for (let groups = Math.min(MAX_GROUPS, Math.floor(channels / MIN_GROUP)); groups > 1; groups--) {
    if (channels % groups === 0) return groups;
  }
  return 1;
}

/**
 * Normalises `x [N, channels, height, width]`, with weights `name.weight` (1 at first) and `name.bias` (0), and of a batch norm
 * the statistics `name.running_mean` (0) and `name.running_var` (1).
 *
 * `layer` normalises over the channels at each place of the image, as the networks of Git Re-Basin do; `group` over the places
 * and channels of each group; epsilon is 1e-5 everywhere.
 */
export function imageNorm(network: NetworkBuilder, x: Value, name: string, kind: ImageNorm): Value {
  if (kind === "none") return x;
  const channels = x.shape[1] ?? 0;
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
