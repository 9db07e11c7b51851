// Loops over task vectors in f32, for WebAssembly SIMD. src/kernels/*.ts say what each does, and give the same
// bits.
//
// The memory is imported from @isthmus/core, so there must be no static data. Every count is a multiple of 8.

const SIGN: i32 = 0x80000000;
const MAGNITUDE: i32 = 0x7fffffff;

export function subtract(network: usize, base: usize, out: usize, count: i32): void {
  for (let end = out + 4 * <usize>count; out < end; out += 16) {
    v128.store(out, f32x4.sub(v128.load(network), v128.load(base)));
    network += 16;
    base += 16;
  }
}

/** As {@link subtract}, for a network in bf16. */
export function subtractFromBfloat(network: usize, base: usize, out: usize, count: i32): void {
  for (let end = out + 4 * <usize>count; out < end; out += 32) {
    const x = v128.load(network);
    const zero = i32x4.splat(0);
    // A bf16 is the upper half of an f32.
    const low = v128.shuffle<u16>(zero, x, 0, 8, 1, 9, 2, 10, 3, 11);
    const high = v128.shuffle<u16>(zero, x, 4, 12, 5, 13, 6, 14, 7, 15);
    v128.store(out, f32x4.sub(low, v128.load(base)));
    v128.store(out, f32x4.sub(high, v128.load(base, 16)), 16);
    network += 16;
    base += 32;
  }
}

export function addChanges(base: usize, changes: usize, factor: f32, out: usize, count: i32): void {
  const f = f32x4.splat(factor);
  const zero = f32x4.splat(0);
  for (let end = out + 4 * <usize>count; out < end; out += 16) {
    const change = f32x4.mul(v128.load(changes), f);
    // A negative zero changes no number that it is added to.
    const isZero = v128.and(f32x4.eq(change, zero), i32x4.splat(SIGN));
    v128.store(out, f32x4.add(v128.load(base), v128.or(change, isZero)));
    base += 16;
    changes += 16;
  }
}

export function keepMagnitudes(values: usize, patterns: usize, least: i32, below: i32, count: i32): void {
  const low = i32x4.splat(least - 1);
  const high = i32x4.splat(below);
  const mask = i32x4.splat(MAGNITUDE);
  for (let end = values + 4 * <usize>count; values < end; values += 16) {
    const magnitude = v128.and(v128.load(patterns), mask);
    const inside = v128.and(i32x4.gt_s(magnitude, low), i32x4.lt_s(magnitude, high));
    v128.store(values, v128.and(v128.load(values), inside));
    patterns += 16;
  }
}

// @ts-ignore: decorator
@inline
function mixed(x: v128): v128 {
  x = v128.xor(x, i32x4.shr_u(x, 16));
  x = i32x4.mul(x, i32x4.splat(0x21f0aaad));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(0x735a2d97));
  return v128.xor(x, i32x4.shr_u(x, 15));
}

export function randomBits(counter: i32, high: i32, out: usize, count: i32): void {
  let x = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  let y = i32x4.add(x, i32x4.splat(4));
  const h = i32x4.splat(high);
  const eight = i32x4.splat(8);
  for (let end = out + 4 * <usize>count; out < end; out += 32) {
    v128.store(out, mixed(i32x4.add(mixed(x), h)));
    v128.store(out, mixed(i32x4.add(mixed(y), h)), 16);
    x = i32x4.add(x, eight);
    y = i32x4.add(y, eight);
  }
}

export function keepBelow(values: usize, bits: usize, limit: i32, count: i32): void {
  const most = i32x4.splat(limit);
  for (let end = values + 4 * <usize>count; values < end; values += 16) {
    const isKept = i32x4.lt_s(i32x4.shr_u(v128.load(bits), 1), most);
    v128.store(values, v128.and(v128.load(values), isKept));
    bits += 16;
  }
}

// @ts-ignore: decorator
@inline
function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/** Writes 8 sums in f64 of the products of every eighth element. */
export function product(left: usize, right: usize, sums: usize, count: i32): void {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  for (let end = left + 4 * <usize>count; left < end; left += 32) {
    const x = v128.load(left);
    const y = v128.load(right);
    const z = v128.load(left, 16);
    const w = v128.load(right, 16);
    s0 = f64x2.add(s0, f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y)));
    s1 = f64x2.add(s1, f64x2.mul(promoteHigh(x), promoteHigh(y)));
    s2 = f64x2.add(s2, f64x2.mul(f64x2.promote_low_f32x4(z), f64x2.promote_low_f32x4(w)));
    s3 = f64x2.add(s3, f64x2.mul(promoteHigh(z), promoteHigh(w)));
    right += 32;
  }
  storeSums(sums, s0, s1, s2, s3);
}

/** Writes 8 sums in f64 of the sizes of every eighth element. */
export function sizes(values: usize, sums: usize, count: i32): void {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let s2 = f64x2.splat(0);
  let s3 = f64x2.splat(0);
  for (let end = values + 4 * <usize>count; values < end; values += 32) {
    const x = f32x4.abs(v128.load(values));
    const y = f32x4.abs(v128.load(values, 16));
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(x));
    s1 = f64x2.add(s1, promoteHigh(x));
    s2 = f64x2.add(s2, f64x2.promote_low_f32x4(y));
    s3 = f64x2.add(s3, promoteHigh(y));
  }
  storeSums(sums, s0, s1, s2, s3);
}

// @ts-ignore: decorator
@inline
function storeSums(sums: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sums, s2, 32);
  v128.store(sums, s3, 48);
}

/**
 * Replaces random bits by 0 where they are below `least` or the value is 0, and by all ones where they are above
 * `most`; writes the indices of the others, and returns how many there are.
 */
export function decideByBits(values: usize, bits: usize, least: i32, most: i32, indices: usize, count: i32): i32 {
  const low = i32x4.splat(least);
  const high = i32x4.splat(most);
  let out = indices;
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(bits);
    const isKept = v128.or(i32x4.lt_u(x, low), f32x4.eq(v128.load(values), f32x4.splat(0)));
    const isOpen = v128.andnot(i32x4.le_u(x, high), isKept);
    v128.store(bits, v128.bitselect(x, v128.not(isKept), isOpen));
    let open = i32x4.bitmask(isOpen);
    while (open != 0) {
      store<i32>(out, i + ctz(open));
      out += 4;
      open &= open - 1;
    }
    values += 16;
    bits += 16;
  }
  return <i32>((out - indices) >> 2);
}
