import { mixHigh, mixLow } from "./hash.ts";

/**
 * Hashes every slice of an array across each of its axes.
 *
 * @param bits - elements as 32-bit patterns, `[size, words]`
 * @param extents - shape of the array
 * @returns for each axis the low and high halves of the hashes, `[extent]` each
 */
export function hashSlices(
  bits: Int32Array,
  words: number,
  extents: readonly number[],
): readonly (readonly [Int32Array, Int32Array])[] {
  const size = bits.length / words;
  const hashes = extents.map((extent) => [new Int32Array(extent), new Int32Array(extent)] as const);
  let inner = size;
  for (let axis = 0; axis < extents.length; axis++) {
    const extent = extents[axis]!;
    const block = inner;
    inner /= extent;
    if (extent === 1) continue;
    const [low, high] = hashes[axis]!;
    for (let at = 0; at < size; at++) {
      const within = at % inner;
      const index = ((at - within) / inner) % extent;
      // Position within the slice: the linear index with this axis taken out.
      const place = ((at - (at % block)) / extent + within) | 0;
      let a = place;
      let b = ~place;
      for (let w = at * words; w < (at + 1) * words; w++) {
        const next = mixLow(a, bits[w]!);
        b = mixHigh(b, bits[w]!);
        a = next;
      }
      low[index] = (low[index]! + mixLow(a, b)) | 0;
      high[index] = (high[index]! + mixHigh(a, b)) | 0;
    }
  }
  return hashes;
}
