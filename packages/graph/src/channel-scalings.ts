import { at } from "@isthmus/core";
import type { Scaling } from "./data-set.ts";

/** Scaling of the bytes of one channel. */
export interface ChannelScaling {
  /** Number that is subtracted from `byte / 255`. */
  readonly mean: number;
  /** Divisor after the subtraction. */
  readonly std: number;
}

/**
 * Lists the scalings of the channels of images: one entry if all channels have the same scaling, else one for
 * each channel. If mean and deviation have different lengths, there are as many entries as in the longer one,
 * and the missing numbers are NaN.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { channelScalings } from "@isthmus/graph";
 *
 * assert.deepEqual(channelScalings({ mean: 0.5, std: 0.25 }), [{ mean: 0.5, std: 0.25 }]);
 * assert.deepEqual(channelScalings({ mean: [0.5, 0.4], std: 0.25 }).length, 2);
 * ```
 */
export function channelScalings({ mean, std }: Scaling): readonly ChannelScaling[] {
  const channels = Math.max(...[mean, std].map((value) => (typeof value === "number" ? 1 : value.length)));
  const numberOf = (value: number | readonly number[], channel: number): number => {
    if (typeof value === "number") return value;
    return channel < value.length ? at(value, channel, "channel") : Number.NaN;
  };
  return Array.from({ length: channels }, (_, i) => ({ mean: numberOf(mean, i), std: numberOf(std, i) }));
}

/**
 * Formats the scaling of a byte: `byte / 255`, or `(byte / 255 - 0.1307) / 0.3081`, or the same by channels.
 */
export function formatScaling(scaling: Scaling): string {
  const channels = channelScalings(scaling);
  if (channels.every(({ mean, std }) => mean === 0 && std === 1)) return "byte / 255";
  const [mean, std] = [channels.map((channel) => channel.mean), channels.map((channel) => channel.std)];
  if (channels.length === 1) return `(byte / 255 - ${mean}) / ${std}`;
  return `(byte / 255 - mean) / std by channel, mean ${mean.join(", ")}, std ${std.join(", ")}`;
}
