import { asFloat32, at, type Elements, entry, sumOf } from "@isthmus/core";
import type { Masks } from "./masks.ts";

/** Weights in memory, by name. */
export type Weights = ReadonlyMap<string, Pick<Elements, "dtype" | "data">>;

/**
 * Computes the number of elements to prune: the nearest whole number, the even one if two are equally near.
 */
export function prunedOf(elements: number, sparsity: number): number {
  const exact = sparsity * elements;
  const below = Math.floor(exact);
  if (exact - below !== 0.5) return Math.round(exact);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * Chooses the elements of least magnitude among all weights together.
 *
 * Exactly the requested number is pruned: among elements of equal magnitude, the first ones, in the order of
 * the weights and their elements. Choosing again from the pruned weights therefore chooses the same elements.
 */
export function chooseGlobally(weights: Weights, sparsity: number): Masks {
  const magnitudes = new Map([...weights].map(([name, elements]) => [name, magnitudesOf(elements)]));
  const sizes = [...magnitudes.values()].map(({ length }) => length);
  const total = sumOf(sizes);
  const all = new Float32Array(total);
  let begin = 0;
  for (const values of magnitudes.values()) {
    all.set(values, begin);
    begin += values.length;
  }
  const mask = maskOfLeast(all, prunedOf(total, sparsity));
  begin = 0;
  const masks = new Map<string, Uint8Array>();
  for (const [name, { length }] of magnitudes) {
    masks.set(name, mask.slice(begin, begin + length));
    begin += length;
  }
  return masks;
}

/** Chooses the elements of least magnitude of each weight, by the weight's share. */
export function chooseByLayer(weights: Weights, shares: ReadonlyMap<string, number>): Masks {
  return new Map(
    [...weights].map(([name, elements]) => {
      const values = magnitudesOf(elements);
      const count = prunedOf(values.length, entry(shares, name, "share"));
      return [name, maskOfLeast(values, count)];
    }),
  );
}

function magnitudesOf({ dtype, data }: Pick<Elements, "dtype" | "data">): Float32Array {
  return asFloat32(data, dtype).map((value) => Math.abs(value));
}

/** Returns a mask that prunes the smallest values, among equal ones the first. */
function maskOfLeast(values: Float32Array, count: number): Uint8Array {
  const mask = new Uint8Array(values.length).fill(1);
  if (count === 0) return mask;
  const threshold = at(values.slice().sort(), count - 1, "value");
  let left = count;
  for (let i = 0; i < values.length; i++) {
    if ((values[i] as number) >= threshold) continue;
    mask[i] = 0;
    left -= 1;
  }
  for (let i = 0; i < values.length && left > 0; i++) {
    if (values[i] !== threshold) continue;
    mask[i] = 0;
    left -= 1;
  }
  return mask;
}
