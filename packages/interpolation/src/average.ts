import { blendInto, type Checkpoint, type Elements, lerpInto } from "@isthmus/core";
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
  const running = shares.every((share) => share > 0);
  return combine({
    source: `average(${checkpoints.map(({ source }) => source).join(", ")})`,
    inputs: [first, ...rest],
    integersFrom: first,
    blend: (_name, parts, out) =>
      running ? runningMeanInto(parts, shares, out) : blendInto(parts, shares, out),
  });
}

/** `mean_k = mean_(k-1) + w_k / (w_1 + ... + w_k) (x_k - mean_(k-1))`, in f32, rounded to `out` by the last step. */
function runningMeanInto(parts: readonly Elements[], shares: readonly number[], out: Elements): void {
  const [first] = parts;
  if (first === undefined) return;
  const last = parts.length - 1;
  let mean = first;
  let total = shares[0] ?? 1;
  for (let k = 1; k < last; k++) {
    const part = parts[k] ?? first;
    total += shares[k] ?? 0;
    const next = mean === first ? { dtype: "f32" as const, data: new Float32Array(out.data.length) } : mean;
    lerpInto(mean, part, (shares[k] ?? 0) / total, next);
    mean = next;
  }
  // A single checkpoint is its own mean.
  lerpInto(
    mean,
    parts[last] ?? first,
    last === 0 ? 0 : (shares[last] ?? 0) / (total + (shares[last] ?? 0)),
    out,
  );
}
