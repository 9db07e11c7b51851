import { InputError, matchesGlob, OutOfRangeError } from "@isthmus/core";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import { findHiddenLayers, type HiddenLayers } from "@isthmus/symmetry/layout";

/**
 * Finds the layers of an architecture that may lose units.
 * @param patterns - names of layers, in which `*` matches any characters; all layers if missing
 * @throws OutOfRangeError if a pattern matches no layer
 * @throws InputError if the architecture has no layer that may lose units
 */
export function droppableLayers(
  attempt: string,
  { graph, symmetries }: SymmetricArchitecture,
  patterns: readonly string[] | undefined,
): HiddenLayers {
  const { layers, left } = findHiddenLayers(graph, symmetries);
  const names = layers.map(({ name }) => name);
  if (names.length === 0) {
    const reasons = [...left].map(([name, reason]) => `"${name}": ${reason}`);
    throw new InputError(
      `Cannot ${attempt} of graph "${graph.name}" as it must have hidden units that can be taken out: it has none${reasons.length === 0 ? "" : ` (${reasons.join("; ")})`}`,
      { input: graph.name },
    );
  }
  const unmatched = patterns?.find((pattern) => !names.some((name) => matchesGlob(pattern, name)));
  if (unmatched !== undefined) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as each of "layers" must match a layer: "${unmatched}" matches none of ${names.join(", ")}`,
    );
  }
  const isChosen = (name: string) => patterns?.some((pattern) => matchesGlob(pattern, name)) ?? true;
  const others = names.filter((name) => !isChosen(name)).map((name) => [name, "it was not chosen"] as const);
  return { layers: layers.filter(({ name }) => isChosen(name)), left: new Map([...left, ...others]) };
}
