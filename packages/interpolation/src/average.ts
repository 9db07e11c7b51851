import { at, blendInto, type Checkpoint, type Elements, lerpInto } from "@isthmus/core";
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
 * @throws RangeError if there are no checkpoints, there is not one finite weight for each, or the weights
 * cannot be divided by their sum: it is 0, or so large or small that a double does not hold it in full
 */
export function average(checkpoints: readonly Checkpoint[], weights?: readonly number[]): Checkpoint {
  const [first, ...rest] = checkpoints;
  if (first === undefined) {
    throw new RangeError("Cannot average checkpoints as there must be at least one: got none");
  }
  const shares = normalizeWeights(weights ?? checkpoints.map(() => 1), checkpoints.length);
  const running = shares.every((share) => share > 0);
  return combine({
    source: `average(${checkpoints.map(({ source }) => source).join(", ")})`,
    inputs: [first, ...rest],
    integersFrom: first,
    blend: (_name, parts, out) =>
      running ? runningMeanInto(parts, shares, out) : blendInto(parts, shares, out),
  });
}

/**
 * Writes the running mean `mean_k = mean_(k-1) + w_k / (w_1 + ... + w_k) (x_k - mean_(k-1))`, computed in
 * f32, and rounded to `out` by the last step.
 */
function runningMeanInto(parts: readonly Elements[], shares: readonly number[], out: Elements): void {
  const first = at(parts, 0, "part");
  const last = parts.length - 1;
  let mean = first;
  let total = at(shares, 0, "weight");
  for (let k = 1; k < last; k++) {
    const share = at(shares, k, "weight");
    total += share;
    const next = mean === first ? { dtype: "f32" as const, data: new Float32Array(out.data.length) } : mean;
    lerpInto(mean, at(parts, k, "part"), share / total, next);
    mean = next;
  }
  const share = at(shares, last, "weight");
  // A single checkpoint is its own mean.
  lerpInto(mean, at(parts, last, "part"), last === 0 ? 0 : share / (total + share), out);
}
