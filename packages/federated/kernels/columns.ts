// Arithmetic on the values of many clients by WebAssembly SIMD: sorting, for src/kernels/sorted-rows.ts, and sums, for
// src/kernels/displacement-sum.ts. The memory belongs to @isthmus/core, so there must be no static data here.

/**
 * Orders pairs of rows of f64, element by element: the smaller goes to the first row of a pair, the larger to the second.
 * @param stride - bytes from a row to the next, a multiple of 32, all of which are sorted
 * @param pairs - positions of rows, two u32 a pair
 */
export function orderPairs(rows: usize, stride: usize, pairs: usize, count: usize): void {
  const end = pairs + 8 * count;
  for (let pair = pairs; pair < end; pair += 8) {
    const first = rows + stride * <usize>load<u32>(pair);
    const second = rows + stride * <usize>load<u32>(pair, 4);
    for (let i: usize = 0; i < stride; i += 32) {
      const a = v128.load(first + i);
      const b = v128.load(second + i);
      const c = v128.load(first + i, 16);
      const d = v128.load(second + i, 16);
      // In this order both of two equal values stay, 0 and -0 among them, and a NaN takes no other's place.
      v128.store(first + i, f64x2.pmin(a, b));
      v128.store(second + i, f64x2.pmax(b, a));
      v128.store(first + i, f64x2.pmin(c, d), 16);
      v128.store(second + i, f64x2.pmax(d, c), 16);
    }
  }
}

/**
 * Adds what f32 differ by from f64, times a weight, to sums in f64: each difference, product and sum is rounded to f64.
 * @param count - a multiple of 4
 */
export function addDisplacement(values: usize, base: usize, weight: f64, sums: usize, count: i32): void {
  const w = f64x2.splat(weight);
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(values);
    const low = f64x2.sub(f64x2.promote_low_f32x4(x), v128.load(base));
    const high = f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1)), v128.load(base, 16));
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.mul(w, low)));
    v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.mul(w, high)), 16);
    values += 16;
    base += 32;
    sums += 32;
  }
}
