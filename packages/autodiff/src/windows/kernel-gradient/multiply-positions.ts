import { sizeOf } from "@isthmus/core";
import {
  concat,
  matMul,
  reduceSum,
  reshape,
  slice,
  transpose,
  transposeLast,
  type Value,
} from "@isthmus/graph/builder";
import type { Convolution } from "../convolution.ts";
import { padForWindows, tapRange, tapsOf } from "../taps.ts";
import { each } from "../window.ts";

/**
 * Positions that one product sums over, at least: with fewer (7x7, 4x4), what is written and added up afterwards costs as
 * much as the product. 64 channels on 7x7, 16 examples: 60 GFLOP/s in products of 4 examples, 37 one by one.
 */
const POSITIONS = 192;

/**
 * Kernel gradient, one group: for each tap a product of the gradient `[out, positions]` with that tap of every window
 * `[positions, in]`, channels last, one product for each example, or for a few where these are small, so that threads share
 * them; and their sum.
 */
export function multiplyPositions(x: Value, given: Value, { axes }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0, ...counts] = given.shape;
  const together = examplesTogether(batch, sizeOf(counts));
  const [products, positions] = [batch / together, together * sizeOf(counts)];
  // Where each product is of one example, the gradient is in order as it is.
  const left =
    together === 1
      ? reshape(given, [products, out, positions])
      : transposeLast(reshape(channelsLast(given), [products, positions, out]));
  const padded = padForWindows(channelsLast(x), axes, 1);
  const parts = tapsOf(axes).map((tap) => {
    const ranges = axes.map((axis, i) => tapRange(axis, tap[i] ?? 0, i + 1));
    const right = reshape(slice(padded, ranges), [products, positions, channels]);
    return reduceSum(matMul(left, right), { axes: [0], keepDims: true });
  });
  return reshape(transpose(concat(parts, 0), [1, 2, 0]), [out, channels, ...each(axes, "taps")]);
}

/** `[batch, channels, ...spatial]` to `[batch, ...spatial, channels]`. */
function channelsLast(x: Value): Value {
  const [, , ...spatial] = x.shape.keys();
  return transpose(x, [0, ...spatial, 1]);
}

/** The smallest number of examples, among those that divide the batch, that has enough positions. */
function examplesTogether(batch: number, positions: number): number {
  for (let count = 1; count < batch; count++) {
    if (batch % count === 0 && count * positions >= POSITIONS) return count;
  }
  return batch;
}
