import {
  approachInto,
  at,
  blendInto,
  type Checkpoint,
  type Elements,
  lerpInto,
  OutOfRangeError,
  sumOf,
} from "@isthmus/core";
import { combine } from "./combine.ts";

/**
 * Returns the weighted average of checkpoints, lazily: `sum of w_i x_i / sum of w_i`.
 *
 * It is computed in f32 and rounded once to the element type of the first checkpoint. Weights of any size are
 * normalised; without weights all checkpoints count equally. If all weights are positive, the mean is built
 * up one checkpoint at a time, so that equal elements stay unchanged, bit for bit: the average of copies of a
 * network is that network. Integer tensors are copied from the first checkpoint.
 * @throws MismatchError if names or shapes differ
 * @throws OutOfRangeError if there are no checkpoints, the weights are not one finite number for each, or
 *   they cannot be divided by their sum, because it is 0, or too large or small for the full precision of a
 *   double
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { average } from "@isthmus/interpolation";
 *
 * const vector = (x: number) => createTensor("f32", [2], Float32Array.of(x, 2 * x));
 * const network = (x: number) => createCheckpoint({ w: vector(x) });
 * const mean = average([network(1), network(5)], [3, 1]); // nothing is computed yet
 * assert.deepEqual((await mean.read("w")).data, Float32Array.of(2, 4));
 * ```
 */
export function average(checkpoints: readonly Checkpoint[], weights?: readonly number[]): Checkpoint {
  const [first, ...rest] = checkpoints;
  if (first === undefined) {
    throw new OutOfRangeError("Cannot average checkpoints as there must be at least one: got none");
  }
  const shares = normalizeWeights(weights ?? checkpoints.map(() => 1), checkpoints.length);
  return combine({
    source: `average(${checkpoints.map(({ source }) => source).join(", ")})`,
    inputs: [first, ...rest],
    integersFrom: first,
    blend: (_range, parts, out) => averageInto(parts, shares, out),
  });
}

/**
 * Computes the weighted average of stored elements in f32, and rounds it once to the type of `out`.
 *
 * If all shares are positive, the mean is built up one array at a time,
 * `mean_k = mean_(k-1) + w_k / (w_1 + ... + w_k) (x_k - mean_(k-1))`, so that equal elements stay unchanged,
 * bit for bit. Otherwise it is the sum of the products.
 *
 * @param parts - at least one array, each as long as `out`
 * @param shares - share of each part; the sum is 1
 */
export function averageInto(parts: readonly Elements[], shares: readonly number[], out: Elements): void {
  if (!shares.every((share) => share > 0)) {
    blendInto(parts, shares, out);
    return;
  }
  let total = 0;
  const places = shares.map((share) => {
    total += share;
    return share / total;
  });
  const [from, to, ...more] = parts;
  // Between two arrays of one type there is a faster kernel, which gives the same bits.
  if (from !== undefined && to !== undefined && more.length === 0) lerpInto(from, to, at(places, 1), out);
  else approachInto(parts, places, out);
}

/**
 * Smallest number that a double holds with full precision; quotients by smaller numbers are inexact or
 * infinite.
 */
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * Divides the weights of an average by their sum, so that they sum to 1.
 * @param count - required number of weights
 * @throws OutOfRangeError if there are more or fewer weights, one is not finite, or they cannot be divided by
 *   their sum, because it is 0, or too large or small for the full precision of a double
 */
export function normalizeWeights(weights: readonly number[], count: number): number[] {
  const sum = sumOf(weights);
  const fail = (rule: string) =>
    new OutOfRangeError(`Cannot average ${count} checkpoints as ${rule}: got ${weights.join(", ")}`);
  if (weights.length !== count || !weights.every(Number.isFinite) || sum === 0) {
    throw fail("weights must be one finite number for each, of a sum other than 0");
  }
  if (!Number.isFinite(sum) || Math.abs(sum) < SMALLEST_NORMAL) {
    throw fail("the sum of the weights must be from 2.3e-308 to 1.7e308 in size");
  }
  return weights.map((weight) => weight / sum);
}
