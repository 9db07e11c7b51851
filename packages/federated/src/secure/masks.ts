import { at } from "@isthmus/core";
import { keystreamInto } from "../random/keystream.ts";

/** A stream of words that hides an update: the words of a key, added or taken away. */
export interface Mask {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Sign of the words: `1` to add them, `-1` to subtract them. */
  readonly sign: 1 | -1;
}

/**
 * Number of words of a mask that are computed at a time: memory does not grow with the update or the number
 * of masks.
 */
const CHUNK_WORDS = 1 << 14;

/**
 * Adds a range of masks to words, modulo 2^32.
 * @param begin - position of the first word in the update
 * @param words - `[words]`
 */
export function addMasksInPlace(masks: readonly Mask[], begin: number, words: Uint32Array): Uint32Array {
  const stream = new Uint32Array(Math.min(CHUNK_WORDS, words.length));
  for (let from = 0; from < words.length; from += CHUNK_WORDS) {
    const chunk = words.subarray(from, from + CHUNK_WORDS);
    for (const { key, sign } of masks) {
      addInPlace(chunk, keystreamInto(key, begin + from, stream.subarray(0, chunk.length)), sign);
    }
  }
  return words;
}

/** Adds words to others, or takes them away, modulo 2^32. */
export function addInPlace(words: Uint32Array, others: Uint32Array, sign: 1 | -1): void {
  for (let i = 0; i < words.length; i++) words[i] = at(words, i) + sign * at(others, i);
}

/**
 * Returns the sign with which a client adds the mask that it shares with another: the client whose name is
 * earlier, by code units, adds the mask, and the other subtracts it.
 */
export function maskSign(client: string, other: string): 1 | -1 {
  return client < other ? 1 : -1;
}
