/**
 * Returns the pairs of Batcher's odd-even merge sort, in order: sorting each pair sorts any numbers,
 * whatever they are.
 * @param count - how many numbers
 * @returns two positions a pair, the first below the second
 * @see Knuth, The art of computer programming, volume 3, section 5.2.2, algorithm M
 */
export function sortingNetwork(count: number): Uint32Array {
  const pairs: number[] = [];
  for (let width = 1; width < count; width *= 2) {
    for (let step = width; step >= 1; step /= 2) {
      for (let begin = step % width; begin < count - step; begin += 2 * step) {
        for (let i = begin; i < Math.min(begin + step, count - step); i++) {
          const isSameBlock = Math.floor(i / (2 * width)) === Math.floor((i + step) / (2 * width));
          if (isSameBlock) pairs.push(i, i + step);
        }
      }
    }
  }
  return Uint32Array.from(pairs);
}
