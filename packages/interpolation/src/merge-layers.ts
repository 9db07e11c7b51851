import type { Checkpoint } from "@isthmus/core";
import { assertLayerPatterns, fitsLayer } from "./layer-names.ts";
import { lerp } from "./lerp.ts";

/**
 * Returns a network that is merged layer by layer, lazily: every tensor lies at its layer's own place on the line from `a` to `b`.
 *
 * 0 keeps a layer of `a`, 1 takes that of `b`, one half averages both. What no pattern fits stays as in `a`; where several fit, the
 * first counts. Arithmetic is that of {@link lerp}.
 * @param shares - how much of `b` is in the layers that fit a pattern: the name of a layer (`conv1`) or of a tensor
 *   (`conv1.weight`), with `*` for any characters and `?` for one
 * @throws MismatchError if names or shapes differ
 * @throws RangeError if a share is not finite, or a pattern fits no layer
 * @see Adilova et al., Layer-wise linear mode connectivity, 2024, section 3: networks that differ in some layers only
 */
export function mergeLayers(a: Checkpoint, b: Checkpoint, shares: ReadonlyMap<string, number>): Checkpoint {
  assertLayerPatterns(`merge layers of "${a.source}"`, shares.keys(), [...a.tensors.keys()]);
  return lerp(a, b, (name) => [...shares].find(([pattern]) => fitsLayer(pattern, name))?.[1] ?? 0);
}
