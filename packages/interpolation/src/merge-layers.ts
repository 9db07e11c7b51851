import type { Checkpoint } from "@isthmus/core";
import { assertLayerPatterns, fitsLayer } from "./layer-names.ts";
import { lerp } from "./lerp.ts";

/**
 * Returns a network that is merged layer by layer, lazily: every tensor lies at the place of its layer on the
 * line from `a` to `b`.
 *
 * A share of 0 takes a layer from `a`, 1 from `b`, and one half averages both. Tensors that no pattern
 * matches stay as in `a`; if several patterns match, the first counts. Tensors are computed as by
 * {@link lerp}.
 * @param shares - how much of `b` is in the layers that match a pattern: the name of a layer (`conv1`) or of
 * a tensor (`conv1.weight`), with `*` for any characters and `?` for any one
 * @throws MismatchError if names or shapes differ
 * @throws OutOfRangeError if a share is not finite, or a pattern matches no layer
 * @see Adilova et al., Layer-wise linear mode connectivity, 2024, section 3: networks that differ in some
 * layers only
 */
export function mergeLayers(a: Checkpoint, b: Checkpoint, shares: ReadonlyMap<string, number>): Checkpoint {
  assertLayerPatterns(`merge layers of "${a.source}"`, shares.keys(), [...a.tensors.keys()]);
  return lerp(a, b, (name) => shareOf(name, shares));
}

function shareOf(name: string, shares: ReadonlyMap<string, number>): number {
  for (const [pattern, share] of shares) if (fitsLayer(pattern, name)) return share;
  return 0;
}
