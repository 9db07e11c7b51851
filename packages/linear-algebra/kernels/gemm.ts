// Products of packed blocks of matrices, for WebAssembly SIMD.
//
// Callers pack the left matrix into panels of 4 rows (for each step of the inner dimension its 4 elements) and the
// right one into panels of one tile width (f32: 8 columns, f64: 4). The sum over the inner dimension runs in its order
// for every element, so an element has the same bits in a block of any size.

/** First address of the memory that callers may put their data in. */
export const base: usize = (__heap_base + 63) & ~63;

/** Adds the product of two packed blocks to a block of f32 in row-major order. */
export function addProductF32(a: usize, b: usize, c: usize, panelsA: i32, panelsB: i32, depth: i32): void {
  addProduct<f32>(a, b, c, panelsA, panelsB, depth);
}

/** Adds the product of two packed blocks to a block of f64 in row-major order. */
export function addProductF64(a: usize, b: usize, c: usize, panelsA: i32, panelsB: i32, depth: i32): void {
  addProduct<f64>(a, b, c, panelsA, panelsB, depth);
}

/** Adds the product of two packed blocks of an element type: tiles of 4 rows and two vectors of 16 bytes. */
// @ts-ignore: decorator
@inline
function addProduct<T>(a: usize, b: usize, c: usize, panelsA: i32, panelsB: i32, depth: i32): void {
  const stride = <usize>panelsB * 32;
  const step = 4 * sizeof<T>();
  for (let i = 0; i < panelsA; i++) {
    const rowsA = a + <usize>i * <usize>depth * step;
    for (let j = 0; j < panelsB; j++) {
      let c0 = c + <usize>i * 4 * stride + <usize>j * 32;
      let pa = rowsA;
      let pb = b + <usize>j * <usize>depth * 32;
      const end = pa + <usize>depth * step;
      let s00 = v128.load(c0);
      let s01 = v128.load(c0, 16);
      let s10 = v128.load(c0 + stride);
      let s11 = v128.load(c0 + stride, 16);
      let s20 = v128.load(c0 + 2 * stride);
      let s21 = v128.load(c0 + 2 * stride, 16);
      let s30 = v128.load(c0 + 3 * stride);
      let s31 = v128.load(c0 + 3 * stride, 16);
      while (pa < end) {
        const b0 = v128.load(pb);
        const b1 = v128.load(pb, 16);
        const x0 = v128.load_splat<T>(pa);
        s00 = v128.add<T>(s00, v128.mul<T>(x0, b0));
        s01 = v128.add<T>(s01, v128.mul<T>(x0, b1));
        const x1 = v128.load_splat<T>(pa, sizeof<T>());
        s10 = v128.add<T>(s10, v128.mul<T>(x1, b0));
        s11 = v128.add<T>(s11, v128.mul<T>(x1, b1));
        const x2 = v128.load_splat<T>(pa, 2 * sizeof<T>());
        s20 = v128.add<T>(s20, v128.mul<T>(x2, b0));
        s21 = v128.add<T>(s21, v128.mul<T>(x2, b1));
        const x3 = v128.load_splat<T>(pa, 3 * sizeof<T>());
        s30 = v128.add<T>(s30, v128.mul<T>(x3, b0));
        s31 = v128.add<T>(s31, v128.mul<T>(x3, b1));
        pa += step;
        pb += 32;
      }
      v128.store(c0, s00);
      v128.store(c0, s01, 16);
      v128.store(c0 + stride, s10);
      v128.store(c0 + stride, s11, 16);
      v128.store(c0 + 2 * stride, s20);
      v128.store(c0 + 2 * stride, s21, 16);
      v128.store(c0 + 3 * stride, s30);
      v128.store(c0 + 3 * stride, s31, 16);
    }
  }
}
