import { OutOfRangeError } from "@isthmus/core";

/** Key of 64 bits for one tensor of one network in one merge. */
export interface StreamKey {
  /** Lower 32 bits, as a signed number. */
  readonly low: number;
  /** Upper 32 bits, as a signed number. */
  readonly high: number;
}

/** Inputs of a stream of random numbers, besides the position of an element. */
export interface StreamPlace {
  /** Seed of the merge, a whole number in `[0, 2^53)`. */
  readonly seed: number;
  /** Name of the tensor in the result. */
  readonly tensor: string;
  /** Position of the network among the merged networks. */
  readonly network: number;
}

/**
 * Derives the key of a stream of random numbers from the seed, the name of the tensor and the position of
 * the network.
 *
 * Two lanes of 32 bits read all three inputs; each bit of the key depends on each bit of the inputs. Streams
 * of different tensors or networks are independent, so the order in which a merge is computed cannot change a
 * number.
 * @throws OutOfRangeError if the seed is not a whole number in `[0, 2^53)`
 */
export function deriveStreamKey({ seed, tensor, network }: StreamPlace): StreamKey {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new OutOfRangeError(
      `Cannot draw random numbers for "${tensor}" as the seed must be a whole number of at least 0: it is ${seed}`,
    );
  }
  let low = 0x9e3779b9;
  let high = 0x7f4a7c15;
  const absorb = (word: number): void => {
    low = Math.imul(low ^ word, 0x85ebca6b);
    low ^= low >>> 13;
    high = Math.imul(high ^ word, 0xc2b2ae35);
    high ^= high >>> 16;
    low = (low + high) | 0;
  };
  // The length keeps a name and a network position that follow one another apart from a longer name.
  for (const word of [seed >>> 0, Math.floor(seed / 2 ** 32), network, tensor.length]) absorb(word);
  for (let i = 0; i < tensor.length; i++) absorb(tensor.charCodeAt(i));
  for (let round = 0; round < 3; round++) absorb(0);
  return { low, high };
}
