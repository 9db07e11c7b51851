import { type Checkpoint, OutOfRangeError } from "@isthmus/core";
import { averageInto } from "./average-into.ts";
import { combine } from "./combine.ts";
import { normalizeWeights } from "./normalize-weights.ts";

/**
 * Returns the weighted average of checkpoints, lazily: `sum of w_i x_i / sum of w_i`.
 *
 * It is computed in f32 and rounded once to the element type of the first checkpoint. Weights of any size are
 * normalised; without weights all checkpoints count equally. If all weights are positive, the mean is built
 * up one checkpoint at a time, so that equal elements stay unchanged, bit for bit: the average of copies of a
 * network is that network. Integer tensors are taken from the first checkpoint.
 * @throws MismatchError if names or shapes differ
 * @throws OutOfRangeError if there are no checkpoints, there is not one finite weight for each, or the
 *   weights
 * cannot be divided by their sum: it is 0, or so large or small that a double does not hold it in full
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
