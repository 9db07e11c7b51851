// Sorts the values of many elements at once by WebAssembly SIMD; src/kernels/sorted-rows.ts says how it is used.
// The memory is that of @isthmus/core, so there must be no static data here.

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
