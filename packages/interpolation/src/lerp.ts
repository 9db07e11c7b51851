import { at, type Checkpoint, entry, lerpInto, OutOfRangeError } from "@isthmus/core";
import { combine } from "./combine.ts";

/**
 * Place on the line between two checkpoints: one for all tensors, or a function from the name of a tensor to
 * its place.
 */
export type LerpPlace = number | ((name: string) => number);

/**
 * Returns the checkpoint at `t` on the straight line from `a` to `b`, lazily: `(1 - t) a + t b`.
 *
 * It is computed in f32 and rounded once to the element type of `a`. The ends are exact, equal elements stay
 * unchanged, and swapping `a` and `b` swaps `t` and `1 - t` (except for the last bit at `t = 0.5`). Integer
 * tensors, such as counters of batches, are not averaged but copied from the nearer end. `t` outside `[0, 1]`
 * extrapolates.
 * @param t - one place for all tensors, or a place for each, so that layers can be at different places
 * @throws MismatchError if names or shapes differ
 * @throws OutOfRangeError if a place is not finite
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { lerp } from "@isthmus/interpolation";
 *
 * const vector = (x: number) => createTensor("f32", [2], Float32Array.of(x, 2 * x));
 * const network = (x: number) => createCheckpoint({ w: vector(x) });
 * const nearer = lerp(network(0), network(4), 0.25);
 * assert.deepEqual((await nearer.read("w")).data, Float32Array.of(1, 2));
 * const byLayer = lerp(network(0), network(4), (name) => (name === "w" ? 1 : 0.5));
 * assert.deepEqual((await byLayer.read("w")).data, Float32Array.of(4, 8));
 * ```
 */
export function lerp(a: Checkpoint, b: Checkpoint, t: LerpPlace): Checkpoint {
  const places = new Map([...a.tensors.keys()].map((name) => [name, typeof t === "number" ? t : t(name)]));
  if (typeof t === "number") assertPlace(t);
  for (const place of places.values()) assertPlace(place);
  return combine({
    source: nameOf(a, b, t),
    inputs: [a, b],
    integersFrom: (name) => (entry(places, name, "tensor") < 0.5 ? a : b),
    blend: ({ name }, parts, out) =>
      lerpInto(at(parts, 0, "part"), at(parts, 1, "part"), entry(places, name, "tensor"), out),
  });
}

/** Names a checkpoint on the line: each end by its own name. */
function nameOf({ source: a }: Checkpoint, { source: b }: Checkpoint, t: LerpPlace): string {
  if (t === 0) return a;
  if (t === 1) return b;
  return `lerp(${a}, ${b}, ${typeof t === "number" ? t : "by layer"})`;
}

function assertPlace(t: number): void {
  if (Number.isFinite(t)) return;
  throw new OutOfRangeError(`Cannot interpolate as t must be a finite number: got ${t}`);
}
