import { createCipheriv } from "@isthmus/platform";

/** Words of one block of AES. */
const BLOCK_WORDS = 4;
/** Number of bytes that are encrypted at a time; memory does not grow with the range. */
const CHUNK_BYTES = 1 << 18;
const ZEROS: Uint8Array = new Uint8Array(CHUNK_BYTES);

/**
 * Writes words `[begin, begin + out.length)` of the stream of a key: AES-256 in counter mode, word `i` being
 * a function of the key and of `i`, and of nothing else, so that ranges may be computed in any order and by
 * any thread. Without the key the stream cannot be distinguished from random words.
 * @param key - 32 bytes, used for this stream alone
 * @param begin - first position, a whole number in `[0, 2^53)`
 */
export function keystreamInto(key: Uint8Array, begin: number, out: Uint32Array): Uint32Array {
  const counter = new Uint8Array(16);
  new DataView(counter.buffer).setBigUint64(8, BigInt(Math.floor(begin / BLOCK_WORDS)));
  const cipher = createCipheriv("aes-256-ctr", key, counter);
  const before = begin % BLOCK_WORDS;
  if (before > 0) cipher.update(ZEROS.subarray(0, 4 * before));
  const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
    bytes.set(cipher.update(ZEROS.subarray(0, Math.min(CHUNK_BYTES, bytes.length - from))), from);
  }
  return out;
}
