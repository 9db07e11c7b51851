import type { Checkpoint } from "@isthmus/core";
import { averageInto } from "./average-into.ts";
import { combine } from "./combine.ts";
import { normalizeWeights } from "./normalize-weights.ts";

/**
 * Returns the weighted average of checkpoints, lazily: `sum of w_i x_i / sum of w_i`.
 *
 * Computed in f32 and rounded once to the element type of the first checkpoint. Weights of any size are
 * normalised; without weights all count the same. Where all weights are positive the mean is built up one
 * checkpoint at a time, so that equal elements stay as they are, bit for bit: the average of copies of a
 * network is that network. Integer tensors are the first checkpoint's.
 * @throws MismatchError if names or shapes differ
 * @throws RangeError if there are no checkpoints, or weights are not one finite number for each with a sum by
 *   which they can be divided: not 0, nor so large or small that a double does not hold it in full
 */
export function average(checkpoints: readonly Checkpoint[], weights?: readonly number[]): Checkpoint {
  const [first, ...rest] = checkpoints;
  if (first === undefined) {
    throw new RangeError("Cannot average checkpoints as there must be at least one: got none");
  }
  const shares = normalizeWeights(weights ?? checkpoints.map(() => 1), checkpoints.length);
  return combine({
    source: `average(${checkpoints.map(({ source }) => source).join(", ")})`,
    inputs: [first, ...rest],
    integersFrom: first,
    blend: (_range, parts, out) => averageInto(parts, shares, out),
  });
}
