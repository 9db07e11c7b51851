// Exponentials and logarithms of rows in f64, for WebAssembly SIMD. src/kernels/softmax.ts gives the same bits.
//
// The memory is imported from @isthmus/core, so there must be no static data. Every count is a multiple of 8.

// @ts-ignore: decorator
@inline
function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

// @ts-ignore: decorator
@inline
function next(sum: v128, x: v128, coefficient: f64): v128 {
  return f64x2.add(f64x2.mul(sum, x), f64x2.splat(coefficient));
}

/** exp(x) for x <= 0: 2^n exp(r) with |r| <= ln(2) / 2. */
// @ts-ignore: decorator
@inline
function exponential(x: v128): v128 {
  const magic = f64x2.splat(6755399441055744);
  const capped = f64x2.pmax(x, f64x2.splat(-700));
  const n = f64x2.sub(f64x2.add(f64x2.mul(capped, f64x2.splat(1.4426950408889634)), magic), magic);
  const high = f64x2.sub(capped, f64x2.mul(n, f64x2.splat(0.6931471803691238)));
  const r = f64x2.sub(high, f64x2.mul(n, f64x2.splat(1.9082149292705877e-10)));
  let p = next(f64x2.splat(1.0 / 6227020800), r, 1.0 / 479001600);
  p = next(p, r, 1.0 / 39916800);
  p = next(p, r, 1.0 / 3628800);
  p = next(p, r, 1.0 / 362880);
  p = next(p, r, 1.0 / 40320);
  p = next(p, r, 1.0 / 5040);
  p = next(p, r, 1.0 / 720);
  p = next(p, r, 1.0 / 120);
  p = next(p, r, 1.0 / 24);
  p = next(p, r, 1.0 / 6);
  p = next(p, r, 0.5);
  p = next(p, r, 1);
  p = next(p, r, 1);
  const whole = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(n));
  return f64x2.mul(p, i64x2.shl(i64x2.add(whole, i64x2.splat(1023)), 52));
}

/** log(x) for normal x: k log(2) + 2 atanh((m - 1) / (m + 1)) with m between sqrt(1/2) and sqrt(2). */
// @ts-ignore: decorator
@inline
function logarithm(x: v128): v128 {
  const k = i64x2.shr_s(i64x2.sub(x, i64x2.splat(0x3fe6a09e00000000)), 52);
  const m = i64x2.sub(x, i64x2.shl(k, 52));
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let p = next(f64x2.splat(2.0 / 17), z, 2.0 / 15);
  p = next(p, z, 2.0 / 13);
  p = next(p, z, 2.0 / 11);
  p = next(p, z, 2.0 / 9);
  p = next(p, z, 2.0 / 7);
  p = next(p, z, 2.0 / 5);
  p = next(p, z, 2.0 / 3);
  p = next(p, z, 2);
  const exponent = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(k, k, 0, 2, 0, 2));
  return f64x2.add(f64x2.mul(exponent, f64x2.splat(0.6931471805599453)), f64x2.mul(p, s));
}

/** Returns the largest of a row that has no number above infinity, or minus infinity. */
export function largestOf(row: usize, count: i32): f32 {
  let largest = f32x4.splat(-Infinity);
  for (let end = row + 4 * <usize>count; row < end; row += 16) largest = f32x4.pmax(largest, v128.load(row));
  largest = f32x4.pmax(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1));
  largest = f32x4.pmax(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
  return f32x4.extract_lane(largest, 0);
}

/** Writes the exponentials of differences to the largest number, and adds them to 8 sums. */
export function exponentials(row: usize, largest: f64, out: usize, sums: usize, count: i32): void {
  const top = f64x2.splat(largest);
  for (let end = row + 4 * <usize>count; row < end; row += 32) {
    for (let half: usize = 0; half < 2; half++) {
      const x = v128.load(row + 16 * half);
      const at = out + 32 * half;
      const low = exponential(f64x2.sub(f64x2.promote_low_f32x4(x), top));
      const high = exponential(f64x2.sub(promoteHigh(x), top));
      v128.store(at, low);
      v128.store(at, high, 16);
      const sum = sums + 32 * half;
      v128.store(sum, f64x2.add(v128.load(sum), low));
      v128.store(sum, f64x2.add(v128.load(sum, 16), high), 16);
    }
    out += 64;
  }
}

/** Adds the terms of the divergence of two rows of exponentials to 8 sums. */
export function divergences(
  left: usize,
  leftSum: f64,
  right: usize,
  rightSum: f64,
  sums: usize,
  count: i32,
): void {
  const a = f64x2.splat(leftSum);
  const b = f64x2.splat(rightSum);
  const least = f64x2.splat(1e-8);
  for (let end = left + 8 * <usize>count; left < end; left += 64) {
    for (let part: usize = 0; part < 64; part += 16) {
      const p = f64x2.add(f64x2.div(v128.load(left + part), a), least);
      const q = f64x2.add(f64x2.div(v128.load(right + part), b), least);
      const term = f64x2.mul(p, logarithm(f64x2.div(p, q)));
      v128.store(sums + part, f64x2.add(v128.load(sums + part), term));
    }
    right += 64;
  }
}
