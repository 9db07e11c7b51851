import { type Checkpoint, lerpInto } from "@isthmus/core";
import { combine } from "./combine.ts";

/**
 * Returns the checkpoint at `t` on the straight line from `a` to `b`, lazily: `(1 - t) a + t b`.
 *
 * Computed in f32 and rounded once to the element type of `a`. The ends are exact, equal elements stay as
 * they are, and swapping `a` and `b` swaps `t` and `1 - t` (but for the last bit at `t = 0.5`). Integer tensors, such as counters of batches, are
 * not averaged: they are the nearer end's. `t` outside `[0, 1]` extrapolates.
 * @throws MismatchError if names or shapes differ
 * @throws RangeError if `t` is not finite
 */
export function lerp(a: Checkpoint, b: Checkpoint, t: number): Checkpoint {
  if (!Number.isFinite(t)) {
    throw new RangeError(`Cannot interpolate as t must be a finite number: got ${t}`);
  }
  return combine({
    source: `lerp(${a.source}, ${b.source}, ${t})`,
    inputs: [a, b],
    integersFrom: t < 0.5 ? a : b,
    blend: (_name, [from, to], out) => {
      if (from !== undefined && to !== undefined) lerpInto(from, to, t, out);
    },
  });
}
