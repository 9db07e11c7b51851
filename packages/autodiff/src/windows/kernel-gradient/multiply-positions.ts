import { at, sizeOf } from "@isthmus/core";
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
import { perAxis } from "../window.ts";

/**
 * Positions that one product sums over, at least: with fewer (7x7, 4x4), writing and adding up the
 * products costs as much as computing them. 64 channels on 7x7, 16 examples: 60 GFLOP/s in products
 * of 4 examples, 37 one by one.
 */
const POSITIONS = 192;

/**
 * Computes the kernel gradient, for one group, by products for each tap of the gradient `[out, positions]`
 * with that tap of every window `[positions, in]`, channels last, and their sum. There is one product for
 * each example, or for a few examples where these are small, so that threads share the products.
 */
export function multiplyPositions(x: Value, g: Value, { axes }: Convolution): Value {
  const [batch = 0, channels = 0] = x.shape;
  const [, out = 0, ...counts] = g.shape;
  const together = examplesTogether(batch, sizeOf(counts));
  const [products, positions] = [batch / together, together * sizeOf(counts)];
  // Where each product is of one example, the gradient is in order already.
  const left =
    together === 1
      ? reshape(g, [products, out, positions])
      : transposeLast(reshape(channelsLast(g), [products, positions, out]));
  const padded = padForWindows(channelsLast(x), axes, 1);
  const parts = tapsOf(axes).map((tap) => {
    const ranges = axes.map((axis, i) => tapRange(axis, at(tap, i, "axis"), i + 1));
    const right = reshape(slice(padded, ranges), [products, positions, channels]);
    return reduceSum(matMul(left, right), { axes: [0], keepDims: true });
  });
  return reshape(transpose(concat(parts, 0), [1, 2, 0]), [out, channels, ...perAxis(axes, "taps")]);
}

/** Turns `[batch, channels, ...spatial]` into `[batch, ...spatial, channels]`. */
function channelsLast(x: Value): Value {
  const [, , ...spatial] = x.shape.keys();
  return transpose(x, [0, ...spatial, 1]);
}

/**
 * Finds the smallest number of examples that divides the batch and has enough
 * positions; the whole batch if none.
 */
function examplesTogether(batch: number, positions: number): number {
  for (let count = 1; count < batch; count++) {
    if (batch % count === 0 && count * positions >= POSITIONS) return count;
  }
  return batch;
}
