import { at, OutOfRangeError } from "@isthmus/core";
import { deriveKey, type Seed } from "../random/derive-key.ts";
import { keystreamInto } from "../random/keystream.ts";

/**
 * Place of the noise that is drawn: each seed, round, tensor and client has a random stream of its own,
 * independent of all others.
 */
export interface NoisePlace {
  /**
   * Seed of the noise: 32 bytes of `drawSecret` in a real run, as whoever knows it can subtract the noise; a
   * whole number only if noise must repeat, in studies and tests.
   */
  readonly seed: Seed;
  /** Number of the round. */
  readonly round: number;
  /** Name of the tensor. */
  readonly tensor: string;
  /** Name of the client, for noise that clients add. @defaultValue "", for noise of the server */
  readonly client?: string | undefined;
}

/** Number of pairs of normal numbers that are drawn at a time. */
const CHUNK_PAIRS = 1 << 12;

/**
 * Adds Gaussian noise to a range of elements of a tensor. The noise of element `i` depends on the place and
 * on `i` alone, however the tensor is cut into ranges and whichever thread adds it.
 *
 * Box and Muller's method on 53 bits from AES in counter mode, two elements from each block. The noise is
 * made of floating-point numbers, not the real ones that proofs of privacy speak of: see
 * docs/federated-privacy.md.
 * @param begin - position of the first element in the tensor, a whole number of at least 0
 * @param deviation - standard deviation of the noise, at least 0
 * @param values - `[elements]`, in f64
 * @throws OutOfRangeError if the deviation is not a finite number of at least 0
 */
export function addGaussianNoiseInPlace(
  place: NoisePlace,
  begin: number,
  deviation: number,
  values: Float64Array,
): Float64Array {
  if (!(Number.isFinite(deviation) && deviation >= 0)) {
    throw new OutOfRangeError(
      `Cannot add noise to "${place.tensor}" as its standard deviation must be a finite number of at least 0: it is ${deviation}`,
    );
  }
  if (deviation === 0) return values;
  const key = deriveKey(place.seed, "noise", place.round, place.client ?? "", place.tensor);
  const end = begin + values.length;
  const words = new Uint32Array(4 * Math.min(CHUNK_PAIRS, Math.ceil(values.length / 2) + 1));
  const normals = new Float64Array(words.length / 2);
  for (let pair = Math.floor(begin / 2); 2 * pair < end; pair += normals.length / 2) {
    normalsInto(keystreamInto(key, 4 * pair, words), normals);
    const [first, last] = [Math.max(begin, 2 * pair), Math.min(end, 2 * pair + normals.length)];
    for (let i = first; i < last; i++) {
      values[i - begin] = at(values, i - begin) + deviation * at(normals, i - 2 * pair);
    }
  }
  return values;
}

/** Computes normal numbers, two from every four random words. */
function normalsInto(words: Uint32Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i += 2) {
    // 1 - u is never 0, so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(words, 2 * i)));
    const angle = 2 * Math.PI * uniform(words, 2 * i + 2);
    out[i] = radius * Math.cos(angle);
    out[i + 1] = radius * Math.sin(angle);
  }
}

/** Returns a number uniform in `[0, 1)` of 53 random bits. */
function uniform(words: Uint32Array, index: number): number {
  return ((at(words, index) >>> 5) * 2 ** 26 + (at(words, index + 1) >>> 6)) / 2 ** 53;
}
