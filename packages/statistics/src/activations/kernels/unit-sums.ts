/**
 * Adds for each unit the sums of `x - shift` and of its square, in f64.
 *
 * With a shift near the mean, the variance stays exact even if the mean is much larger than the deviation.
 *
 * @param x - `[outer, units, inner]` row-major
 * @param shift - `[units]`
 * @param sums - `[units]`, added to
 * @param squares - `[units]`, added to
 */
export function addUnitSums(
  x: Float32Array,
  shift: Float64Array,
  sums: Float64Array,
  squares: Float64Array,
  inner: number,
): void {
  const units = shift.length;
  const outer = x.length / (units * inner);
  let at = 0;
  if (inner === 1) {
    for (let n = 0; n < outer; n++) {
      for (let u = 0; u < units; u++) {
        const d = x[at++]! - shift[u]!;
        sums[u] = sums[u]! + d;
        squares[u] = squares[u]! + d * d;
      }
    }
    return;
  }
  for (let n = 0; n < outer; n++) {
    for (let u = 0; u < units; u++) {
      const origin = shift[u]!;
      // Four separate sums are added, as an addition that depends on another one waits four cycles for it.
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let q0 = 0;
      let q1 = 0;
      let q2 = 0;
      let q3 = 0;
      const end = at + inner;
      for (; at + 3 < end; at += 4) {
        const d0 = x[at]! - origin;
        const d1 = x[at + 1]! - origin;
        const d2 = x[at + 2]! - origin;
        const d3 = x[at + 3]! - origin;
        s0 += d0;
        s1 += d1;
        s2 += d2;
        s3 += d3;
        q0 += d0 * d0;
        q1 += d1 * d1;
        q2 += d2 * d2;
        q3 += d3 * d3;
      }
      for (; at < end; at++) {
        const d = x[at]! - origin;
        s0 += d;
        q0 += d * d;
      }
      sums[u] = sums[u]! + (s0 + s1 + (s2 + s3));
      squares[u] = squares[u]! + (q0 + q1 + (q2 + q3));
    }
  }
}

/**
 * Adds for each unit the sum of products of two networks' samples, each minus a shift, in f64.
 *
 * @param a - `[outer, units, inner]` row-major
 * @param b - shape as of `a`
 * @param shifts - shifts of `a` and of `b`, `[units]` each
 * @param products - `[units]`, added to
 */
export function addUnitProducts(
  a: Float32Array,
  b: Float32Array,
  shifts: readonly [Float32Array, Float32Array],
  products: Float64Array,
  inner: number,
): void {
  const units = products.length;
  const outer = a.length / (units * inner);
  let at = 0;
  for (let n = 0; n < outer; n++) {
    for (let u = 0; u < units; u++) {
      const originA = shifts[0][u]!;
      const originB = shifts[1][u]!;
      let p0 = 0;
      let p1 = 0;
      const end = at + inner;
      for (; at + 1 < end; at += 2) {
        p0 += (a[at]! - originA) * (b[at]! - originB);
        p1 += (a[at + 1]! - originA) * (b[at + 1]! - originB);
      }
      if (at < end) {
        p0 += (a[at]! - originA) * (b[at]! - originB);
        at++;
      }
      products[u] = products[u]! + (p0 + p1);
    }
  }
}
