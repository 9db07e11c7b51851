import { at, InputError } from "@isthmus/core";
import { keystreamInto } from "../random/keystream.ts";
import { levelsOf, MODULUS, type SecureSettings } from "./secure-settings.ts";

/** Settings with which a client turns its displacement into words. */
export interface Quantization extends Pick<SecureSettings, "clients" | "range" | "examplesCap"> {
  /** Number of the client's examples; above the cap they count as the cap. */
  readonly examples: number;
  /** Factor that multiplies the displacement first of all, to clip its norm: a weight of `clipWeights`. */
  readonly clipWeight: number;
  /** Key of the random numbers that round. */
  readonly key: Uint8Array;
}

/**
 * Turns a range of a displacement into words: clipped, cut to `[-range, range]`, multiplied by the client's
 * weight `min(examples / examplesCap, 1)`, scaled to whole levels and rounded up or down at random, so that
 * the expectation of the rounded number is the number itself. A word below 0 is written as 2^32 more.
 * @param begin - position of the first element in the update
 * @param values - `[elements]`
 * @param out - `[elements]`
 * @returns number of elements that were cut
 * @throws InputError if an element is not a finite number
 * @see Konecny et al., Federated learning: strategies for improving communication efficiency, 2016, section 3
 */
export function quantizeInto(
  { clients, range, examplesCap, examples, clipWeight, key }: Quantization,
  begin: number,
  values: Float64Array,
  out: Uint32Array,
): number {
  const scale = (levelsOf({ clients }) * Math.min(examples / examplesCap, 1)) / range;
  keystreamInto(key, begin, out);
  let cut = 0;
  for (let i = 0; i < out.length; i++) {
    const value = clipWeight * at(values, i);
    if (!Number.isFinite(value)) {
      throw new InputError(
        `Cannot mask an update as all of its elements must be finite numbers: element ${begin + i} is ${at(values, i)}`,
        { input: "update" },
      );
    }
    if (Math.abs(value) > range) cut++;
    const level = Math.max(-range, Math.min(range, value)) * scale;
    // Assignment to 32 bits is modulo 2^32, below 0 too.
    out[i] = Math.floor(level + at(out, i) / MODULUS);
  }
  return cut;
}

/**
 * Turns sums of words into sums of weighted displacements.
 * @param sums - modulo 2^32, `[elements]`
 * @param out - `[elements]`
 */
export function dequantizeInto(
  { clients, range }: Pick<SecureSettings, "clients" | "range">,
  sums: Uint32Array,
  out: Float64Array,
): Float64Array {
  const step = range / levelsOf({ clients });
  // Sums are below half of the modulus in size, so the upper half represents negative numbers.
  for (let i = 0; i < out.length; i++) out[i] = (at(sums, i) | 0) * step;
  return out;
}
