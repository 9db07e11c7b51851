/**
 * Returns the sorting network of Batcher's odd-even merge sort: pairs of positions. Going through the pairs
 * in order, and putting the smaller of the two numbers of each pair first, sorts all numbers.
 * @param count - number of numbers to sort, at least 1
 * @returns two positions for each pair, the first below the second, `[2 * pairs]`
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
