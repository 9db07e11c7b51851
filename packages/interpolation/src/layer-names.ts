import { matchesGlob } from "@isthmus/core";

/** The layer a tensor belongs to by its name: all before the last dot, as `conv1` of `conv1.weight`; the name itself if it has none. */
export function layerOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? name : name.slice(0, dot);
}

/** Tells whether a pattern fits a tensor's layer or the tensor itself; `*` stands for any characters and `?` for one. */
export function fitsLayer(pattern: string, name: string): boolean {
  return matchesGlob(pattern, layerOf(name)) || matchesGlob(pattern, name);
}

/** Most names that an error lists. */
const LISTED = 12;

/**
 * Checks that every pattern fits a layer.
 * @param attempt - what is attempted on what, for messages
 * @param names - of the tensors
 * @throws RangeError if one does not; it lists the layers
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
    throw new RangeError(
      `Cannot ${attempt} as every pattern must fit a layer: "${pattern}" fits none of ${layers.slice(0, LISTED).join(", ")}${more}`,
    );
  }
}
