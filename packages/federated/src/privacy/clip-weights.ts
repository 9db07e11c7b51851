import { at, OutOfRangeError, UsageError } from "@isthmus/core";
import { clipFactor } from "../rules/norm-bound.ts";

/**
 * Computes the weight of each client's displacement that makes its norm at most `clip`:
 * `min(1, clip / norm)`. Weights multiply displacements, so an update is clipped while it is summed, and no
 * clipped copy is ever written.
 *
 * @param norms - L2 norms of the displacements over all tensors that are shared, `[clients]`
 * @param clip - the largest norm, above 0
 * @returns weights, `[clients]`, in `(0, 1]`; 1 for a displacement of 0
 * @throws OutOfRangeError if a norm or the bound is out of its range
 * @see McMahan et al., Learning differentially private recurrent language models, 2018, section 2 (flat
 * clipping)
 */
export function clipWeights(norms: readonly number[], clip: number): number[] {
  assertClip("clip updates", clip);
  return norms.map((norm, i) => {
    if (!(Number.isFinite(norm) && norm >= 0)) {
      throw new OutOfRangeError(
        `Cannot clip update ${i} as its norm must be a finite number of at least 0: it is ${norm}`,
      );
    }
    return clipFactor(norm, clip);
  });
}

/**
 * Computes the weight of each layer of each client's displacement that makes the layer's norm at most its
 * bound.
 * @param norms - L2 norms, `[clients][layers]`
 * @param clips - bound of each layer, `[layers]`, of `splitClip`
 * @returns weights, `[clients][layers]`
 * @throws UsageError if a client has another number of layers than there are bounds
 * @throws OutOfRangeError if a norm or a bound is out of its range
 */
export function clipWeightsByLayer(
  norms: readonly (readonly number[])[],
  clips: readonly number[],
): number[][] {
  return norms.map((layers, client) => {
    if (layers.length !== clips.length) {
      throw new UsageError(
        `Cannot clip update ${client} by layer as it must have a norm for each bound: it has ${layers.length} of ${clips.length}`,
      );
    }
    return layers.flatMap((norm, layer) => clipWeights([norm], at(clips, layer)));
  });
}

/**
 * Splits a bound on the norm of an update into bounds of its layers, so that an update within the bounds of
 * all its layers is within the whole one: the root of the sum of their squares is `clip`.
 * @param shares - relative size of each layer's bound, `[layers]`, above 0; equal ones are `clip /
 * sqrt(layers)`
 * @returns bounds, `[layers]`
 * @throws OutOfRangeError if the bound or a share is not above 0
 * @see McMahan et al., 2018, section 2 (per-layer clipping)
 */
export function splitClip(clip: number, shares: readonly number[]): number[] {
  assertClip("split a bound on norms", clip);
  for (const share of shares) {
    if (!(Number.isFinite(share) && share > 0)) {
      throw new OutOfRangeError(
        `Cannot split a bound on norms as each layer's share must be above 0: one is ${share}`,
      );
    }
  }
  const whole = Math.hypot(...shares);
  return shares.map((share) => (clip * share) / whole);
}

/**
 * Checks a bound on norms.
 * @throws OutOfRangeError if it is not a finite number above 0
 */
export function assertClip(operation: string, clip: number): void {
  if (!(Number.isFinite(clip) && clip > 0)) {
    throw new OutOfRangeError(
      `Cannot ${operation} as the largest norm "clip" must be a finite number above 0: it is ${clip}`,
    );
  }
}
