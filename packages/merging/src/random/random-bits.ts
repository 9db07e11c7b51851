import { simdFor, wholeGroups } from "../kernels/simd.ts";
import type { StreamKey } from "./stream-key.ts";

/** Number of positions that share the upper half of a counter. */
const POSITIONS = 2 ** 32;

/**
 * Writes 32 random bits for each position of a range. They depend only on the key and the position, so that
 * ranges may be computed in any order and by any thread.
 *
 * The counter passes twice through a mixer of 32 bits, and half of the key is added before each pass (Salmon
 * et al., Parallel random numbers: as easy as 1, 2, 3, 2011, section 2; mixer: Ettinger, triple32 and its
 * relatives, 2018).
 * @param begin - first position, a whole number in `[0, 2^53)`
 */
export function randomBitsInto(key: StreamKey, begin: number, out: Uint32Array): Uint32Array {
  for (let from = 0; from < out.length; ) {
    const block = Math.floor((begin + from) / POSITIONS);
    const count = Math.min(out.length - from, (block + 1) * POSITIONS - begin - from);
    const counter = begin + from - block * POSITIONS;
    mixInto(counterKey(key, block), counter, out.subarray(from, from + count));
    from += count;
  }
  return out;
}

/** Returns the key for the positions whose upper half is `block`. */
function counterKey({ low, high }: StreamKey, block: number): StreamKey {
  if (block === 0) return { low, high };
  return { low: low ^ Math.imul(block, 0x632be59b), high: (high + Math.imul(block, 0x9e3779b1)) | 0 };
}

function mixInto({ low, high }: StreamKey, counter: number, out: Uint32Array): void {
  const start = (counter + low) | 0;
  const simd = simdFor(out);
  const count = simd === undefined ? 0 : wholeGroups(out.length);
  simd?.randomBits(start, high, out.byteOffset, count);
  for (let i = count; i < out.length; i++) {
    let x = (start + i) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x21f0aaad);
    x ^= x >>> 15;
    x = Math.imul(x, 0x735a2d97);
    x ^= x >>> 15;
    x = (x + high) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x21f0aaad);
    x ^= x >>> 15;
    x = Math.imul(x, 0x735a2d97);
    out[i] = x ^ (x >>> 15);
  }
}
