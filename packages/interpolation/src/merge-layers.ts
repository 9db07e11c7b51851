import { type Checkpoint, matchesGlob, OutOfRangeError } from "@isthmus/core";
import { lerp } from "./lerp.ts";

/**
 * Returns a network that is merged layer by layer, lazily: every tensor lies at the place of its layer on the
 * line from `a` to `b`.
 *
 * A share of 0 takes a layer from `a`, 1 from `b`, and one half averages both. Tensors that no pattern
 * matches are copied from `a`; if several patterns match, the first one is taken. Tensors are computed by
 * {@link lerp}.
 * @param shares - share of `b` in the layers that match a pattern, by pattern. A pattern is the name of a
 *   layer (`conv1`) or of a tensor (`conv1.weight`), with `*` for any characters and `?` for any one
 * @throws MismatchError if names or shapes differ
 * @throws OutOfRangeError if a share is not finite, or a pattern matches no layer
 * @see Adilova et al., Layer-wise linear mode connectivity, 2024, section 3: networks that differ in some
 *   layers only
 */
export function mergeLayers(a: Checkpoint, b: Checkpoint, shares: ReadonlyMap<string, number>): Checkpoint {
  assertLayerPatterns(`merge layers of "${a.source}"`, shares.keys(), [...a.tensors.keys()]);
  return lerp(a, b, (name) => shareOf(name, shares));
}

function shareOf(name: string, shares: ReadonlyMap<string, number>): number {
  for (const [pattern, share] of shares) if (fitsLayer(pattern, name)) return share;
  return 0;
}

/**
 * Returns the layer that a tensor belongs to: its name up to the last dot, `conv1` of `conv1.weight`; the
 * whole name if it has no dot.
 */
export function layerOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? name : name.slice(0, dot);
}

/**
 * Checks whether a pattern matches a tensor's layer or its name; `*` matches any characters and `?` any one.
 */
export function fitsLayer(pattern: string, name: string): boolean {
  return matchesGlob(pattern, layerOf(name)) || matchesGlob(pattern, name);
}

/** Largest number of names that an error lists. */
const LISTED = 12;

/**
 * Checks that every pattern matches a layer.
 * @param attempt - attempt and its object, for messages
 * @param names - names of the tensors
 * @throws OutOfRangeError if a pattern matches no layer; the message lists the layers
 */
export function assertLayerPatterns(
  attempt: string,
  patterns: Iterable<string>,
  names: readonly string[],
): void {
  for (const pattern of patterns) {
    if (names.some((name) => fitsLayer(pattern, name))) continue;
    const layers = [...new Set(names.map(layerOf))];
    const more = layers.length > LISTED ? `, and ${layers.length - LISTED} more` : "";
    throw new OutOfRangeError(
      `Cannot ${attempt} as every pattern must fit a layer: "${pattern}" fits none of ${layers.slice(0, LISTED).join(", ")}${more}`,
    );
  }
}
