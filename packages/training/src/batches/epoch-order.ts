import { createRandom } from "@isthmus/core";

/**
 * Writes the order of the examples of an epoch into `out` `[size]`, a permutation of `0..size-1`: it depends on the seed, the
 * epoch and the size only, so that the order of any epoch can be made without those before it.
 * @throws RangeError if `seed` is not a whole number in `[0, 2^53)`
 */
export function epochOrderInto(seed: number, epoch: number, out: Uint32Array): Uint32Array {
  for (let i = 0; i < out.length; i++) out[i] = i;
  return createRandom(seed, `order of epoch ${epoch}`).shuffleInPlace(out);
}
