import { entry, type Tensor } from "@isthmus/core";

/** Weights of a network, by the names of the graph. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Copies the named weights into one array, in the order of the names. */
export function flatten(weights: Weights, names: readonly string[]): Float64Array {
  const parts = names.map((name) => entry(weights, name, "weight").data as Float32Array);
  const flat = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    flat.set(part, offset);
    offset += part.length;
  }
  return flat;
}
