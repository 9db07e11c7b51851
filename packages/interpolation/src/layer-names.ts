import { matchesGlob, OutOfRangeError } from "@isthmus/core";

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
 * @param attempt - what is attempted on what, for messages
 * @param names - names of the tensors
 * @throws OutOfRangeError if a pattern matches none; it lists the layers
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
