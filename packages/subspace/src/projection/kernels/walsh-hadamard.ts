/**
 * Replaces a vector by its Walsh-Hadamard transform, in the natural order and without a factor: applied
 * twice, it multiplies the vector by its length.
 *
 * Two levels of butterflies are computed in one pass over memory, which halves the reads and writes of one
 * level in each pass. If the number of levels is odd, the first pass has one level.
 * @param x - vector whose length is a power of 2
 */
export function walshHadamardInPlace(x: Float32Array): void {
  const { length } = x;
  let half = 1;
  if ((31 - Math.clz32(length)) & 1) {
    for (let i = 0; i < length; i += 2) {
      const a = x[i]!;
      const b = x[i + 1]!;
      x[i] = a + b;
      x[i + 1] = a - b;
    }
    half = 2;
  }
  for (; half < length; half *= 4) {
    const stride = 4 * half;
    for (let begin = 0; begin < length; begin += stride) {
      const end = begin + half;
      for (let i = begin, j = end, k = end + half, l = end + 2 * half; i < end; i++, j++, k++, l++) {
        const a = x[i]!;
        const b = x[j]!;
        const c = x[k]!;
        const d = x[l]!;
        const ab = a + b;
        const cd = c + d;
        const aMinusB = a - b;
        const cMinusD = c - d;
        x[i] = ab + cd;
        x[j] = aMinusB + cMinusD;
        x[k] = ab - cd;
        x[l] = aMinusB - cMinusD;
      }
    }
  }
}
