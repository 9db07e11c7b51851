// Kernels on stored floats, for WebAssembly SIMD. src/tensor/kernels/scalar-kernels.ts gives the same bits.
//
// Every count is a multiple of 8: callers pad with zeros. Pointers are aligned to 16 bytes.
//
// Element types are passed as codes and turned into type parameters, so that each gets loops of its own.
// (Passing the code down as an inlined constant does not do: Binaryen folds the loops into one again.)

/** Codes of element types. */
const F16 = 1;
const BF16 = 2;
const F8E4M3 = 3;
const F8E5M2 = 4;

/** Type parameters that stand for element types; f32 stands for itself. */
type Half = i16;
type Bfloat = u16;
type Float8E4M3 = i8;
type Float8E5M2 = u8;

/** Type parameters that say whether a loop handles NaN. */
type WithNaN = u32;
type WithoutNaN = i32;

/** First address of the memory that callers may put their data in. */
export const base: usize = (__heap_base + 15) & ~15;

// @ts-ignore: decorator
@inline
function isBfloat<T>(): bool {
  return sizeof<T>() == 2 && !isSigned<T>();
}

// @ts-ignore: decorator
@inline
function isE4M3<T>(): bool {
  return sizeof<T>() == 1 && isSigned<T>();
}

// @ts-ignore: decorator
@inline
function mantissaOf<T>(): i32 {
  return isBfloat<T>() ? 7 : sizeof<T>() == 2 ? 10 : isE4M3<T>() ? 3 : 2;
}

// @ts-ignore: decorator
@inline
function biasOf<T>(): i32 {
  return isE4M3<T>() ? 7 : 15;
}

// @ts-ignore: decorator
@inline
function magnitudeOf<T>(): i32 {
  return sizeof<T>() == 2 ? 0x7fff : 0x7f;
}

/** Pattern of infinity; f8e4m3 has none: its NaN. */
// @ts-ignore: decorator
@inline
function topOf<T>(): i32 {
  return isE4M3<T>() ? 0x7f : magnitudeOf<T>() & ~((1 << mantissaOf<T>()) - 1);
}

/** Bits between a sign in the low bits of a lane and its place in f32. */
// @ts-ignore: decorator
@inline
function signShiftOf<T>(): i32 {
  return sizeof<T>() == 2 ? 16 : 24;
}

/** The first or second four of eight stored elements as f32; exact, NaN payloads kept. */
// @ts-ignore: decorator
@inline
function load4<T>(group: usize, second: bool): v128 {
  const at: usize = second ? group + 4 * sizeof<T>() : group;
  if (isFloat<T>()) return v128.load(at);
  if (isBfloat<T>()) return i32x4.shl(v128.load_ext<u16>(at), 16);
  const x =
    sizeof<T>() == 2
      ? v128.load_ext<u16>(at)
      : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
  const magnitude = v128.and(x, i32x4.splat(magnitudeOf<T>()));
  const shifted = i32x4.shl(magnitude, 23 - mantissaOf<T>());
  const normal = i32x4.add(shifted, i32x4.splat((127 - biasOf<T>()) << 23));
  // A subnormal m is read as the normal 2^(-bias) (1 + m), and is what is left of twice that without the
  // smallest normal; for a true normal that is the larger of the two.
  const smallest = i32x4.splat((128 - biasOf<T>()) << 23);
  const scaled = f32x4.pmin(normal, f32x4.sub(f32x4.add(normal, normal), smallest));
  const special = i32x4.gt_s(magnitude, i32x4.splat(topOf<T>() - 1));
  const bits = v128.or(scaled, v128.and(special, i32x4.splat(0x7f800000)));
  return v128.or(bits, i32x4.shl(v128.xor(x, magnitude), signShiftOf<T>()));
}

/**
 * Rounds four f32, none of them NaN, to bf16 in the upper half of each lane; what is left in the lower is
 * noise.
 */
// @ts-ignore: decorator
@inline
function roundToBfloat(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  return i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd);
}

/** Rounds four f32, none of them NaN, to patterns in the low bits of four lanes; to nearest even. */
// @ts-ignore: decorator
@inline
function narrow4<T>(x: v128): v128 {
  if (isBfloat<T>()) return i32x4.shr_u(roundToBfloat(x), 16);
  const shift = 23 - mantissaOf<T>();
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  // Whatever overflows becomes the smallest number that does; in f8e4m3, without infinity, the largest
  // there is.
  const capped = i32x4.min_s(magnitude, i32x4.splat(isE4M3<T>() ? 0x43e00000 : 0x47800000));
  const smallest = i32x4.splat((128 - biasOf<T>()) << 23);
  const exponent = i32x4.max_s(v128.and(capped, i32x4.splat(0x7f800000)), smallest);
  // A power of two whose ulp is that of the result: adding it makes the f32 addition do the rounding, and
  // leaves the mantissa, with its leading 1 if it has one, in the low bits.
  const magic = i32x4.add(exponent, i32x4.splat(shift << 23));
  const mantissa = i32x4.sub(f32x4.add(capped, magic), magic);
  const bits = i32x4.add(i32x4.shr_u(i32x4.sub(exponent, smallest), shift), mantissa);
  return v128.or(bits, i32x4.shr_u(v128.xor(x, magnitude), signShiftOf<T>()));
}

/** As {@link narrow4}, but NaN stays NaN and keeps the payload bits that fit. */
// @ts-ignore: decorator
@inline
function narrowAny4<T>(x: v128): v128 {
  const mask = (1 << mantissaOf<T>()) - 1;
  const payload = v128.and(i32x4.shr_u(x, 23 - mantissaOf<T>()), i32x4.splat(mask));
  const quiet = i32x4.splat(isE4M3<T>() ? 0x7f : topOf<T>() | (1 << (mantissaOf<T>() - 1)));
  // A NaN whose payload sits in the dropped bits only would turn into infinity.
  const isKept = isE4M3<T>() ? i32x4.splat(0) : i32x4.ne(payload, i32x4.splat(0));
  const nan = v128.bitselect(v128.or(payload, i32x4.splat(topOf<T>())), quiet, isKept);
  const sign = i32x4.shr_u(v128.and(x, i32x4.splat(0x80000000)), signShiftOf<T>());
  return v128.bitselect(narrow4<T>(x), v128.or(nan, sign), f32x4.eq(x, x));
}

// Where order does not matter, bf16 is taken apart by even and odd elements: the upper half of each lane
// is an f32
// but for its lower half, so that neither widening nor packing has to move anything across lanes.

/** Four of eight stored elements as f32: the even ones of bf16, the first four otherwise. */
// @ts-ignore: decorator
@inline
function loadFirst<T>(group: usize): v128 {
  return isBfloat<T>() ? i32x4.shl(v128.load(group), 16) : load4<T>(group, false);
}

/** The other four. */
// @ts-ignore: decorator
@inline
function loadSecond<T>(group: usize): v128 {
  return isBfloat<T>() ? v128.and(v128.load(group), i32x4.splat(0xffff0000)) : load4<T>(group, true);
}

/** Rounds and stores what {@link loadFirst} and {@link loadSecond} loaded. */
// @ts-ignore: decorator
@inline
function storeBoth<T, N>(group: usize, x0: v128, x1: v128): void {
  if (isBfloat<T>() && isSigned<N>()) {
    const low = i32x4.shr_u(roundToBfloat(x0), 16);
    const high = v128.and(roundToBfloat(x1), i32x4.splat(0xffff0000));
    v128.store(group, v128.or(low, high));
  } else if (isBfloat<T>()) {
    v128.store(group, v128.or(narrowAny4<T>(x0), i32x4.shl(narrowAny4<T>(x1), 16)));
  } else store8<T, N>(group, x0, x1);
}

/** Rounds and stores eight elements. */
// @ts-ignore: decorator
@inline
function store8<T, N>(at: usize, x0: v128, x1: v128): void {
  if (isFloat<T>()) {
    v128.store(at, x0);
    v128.store(at, x1, 16);
    return;
  }
  const n0 = isSigned<N>() ? narrow4<T>(x0) : narrowAny4<T>(x0);
  const n1 = isSigned<N>() ? narrow4<T>(x1) : narrowAny4<T>(x1);
  // Narrowing saturates, which changes nothing: lanes hold patterns of 16 bits at most.
  const packed = i16x8.narrow_i32x4_u(n0, n1);
  if (sizeof<T>() == 2) v128.store(at, packed);
  else v128.store64_lane(at, i8x16.narrow_i16x8_u(packed, packed), 0);
}

function widenAll<T>(source: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; i += 8) {
    v128.store(out, load4<T>(source, false));
    v128.store(out, load4<T>(source, true), 16);
    source += 8 * sizeof<T>();
    out += 32;
  }
}

// Adding up what is rounded tells cheaply whether there was a NaN: the sum is one. It may be one as well
// where
// infinities of both signs met, which costs time only.

/** Returns whether there may have been a NaN. */
function narrowAll<T, N>(source: usize, out: usize, count: i32): bool {
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  for (let i = 0; i < count; i += 8) {
    const x0 = v128.load(source);
    const x1 = v128.load(source, 16);
    sum0 = f32x4.add(sum0, x0);
    sum1 = f32x4.add(sum1, x1);
    store8<T, N>(out, x0, x1);
    source += 32;
    out += 8 * sizeof<T>();
  }
  return v128.any_true(v128.or(f32x4.ne(sum0, sum0), f32x4.ne(sum1, sum1)));
}

function scaleAll<T>(source: usize, weight: f32, out: usize, count: i32): void {
  const w = f32x4.splat(weight);
  for (let i = 0; i < count; i += 8) {
    v128.store(out, f32x4.mul(w, load4<T>(source, false)));
    v128.store(out, f32x4.mul(w, load4<T>(source, true)), 16);
    source += 8 * sizeof<T>();
    out += 32;
  }
}

function addAll<T>(source: usize, weight: f32, sum: usize, count: i32): void {
  const w = f32x4.splat(weight);
  for (let i = 0; i < count; i += 8) {
    v128.store(sum, f32x4.add(v128.load(sum), f32x4.mul(w, load4<T>(source, false))));
    v128.store(sum, f32x4.add(v128.load(sum, 16), f32x4.mul(w, load4<T>(source, true))), 16);
    source += 8 * sizeof<T>();
    sum += 32;
  }
}

/** from - by * (from - to); where that is NaN: `from` if both are the same bits, else the canonical NaN. */
// @ts-ignore: decorator
@inline
function step4<N>(from: v128, to: v128, by: v128): v128 {
  // Adding 0 turns a step of -0 into 0, which leaves a `from` of -0 as it is where `by` is negative.
  const r = f32x4.sub(from, f32x4.add(f32x4.mul(by, f32x4.sub(from, to)), f32x4.splat(0)));
  if (isSigned<N>()) return r;
  const fallback = v128.bitselect(from, i32x4.splat(0x7fc00000), i32x4.eq(from, to));
  return v128.bitselect(r, fallback, f32x4.eq(r, r));
}

/** Returns whether there may have been a NaN. */
function stepAll<T, N>(from: usize, to: usize, by: f32, out: usize, count: i32): bool {
  const s = f32x4.splat(by);
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  for (let i = 0; i < count; i += 8) {
    const x0 = step4<N>(loadFirst<T>(from), loadFirst<T>(to), s);
    const x1 = step4<N>(loadSecond<T>(from), loadSecond<T>(to), s);
    sum0 = f32x4.add(sum0, x0);
    sum1 = f32x4.add(sum1, x1);
    storeBoth<T, N>(out, x0, x1);
    from += 8 * sizeof<T>();
    to += 8 * sizeof<T>();
    out += 8 * sizeof<T>();
  }
  return v128.any_true(v128.or(f32x4.ne(sum0, sum0), f32x4.ne(sum1, sum1)));
}

/**
 * Makes a step from a mean in f32 towards stored elements, or with `reverse` from the elements towards the
 * mean.
 */
function approachAll<T, N>(source: usize, by: f32, reverse: bool, mean: usize, count: i32): void {
  const s = f32x4.splat(by);
  for (let i = 0; i < count; i += 8) {
    const m0 = v128.load(mean);
    const m1 = v128.load(mean, 16);
    const x0 = load4<T>(source, false);
    const x1 = load4<T>(source, true);
    v128.store(mean, reverse ? step4<N>(x0, m0, s) : step4<N>(m0, x0, s));
    v128.store(mean, reverse ? step4<N>(x1, m1, s) : step4<N>(m1, x1, s), 16);
    source += 8 * sizeof<T>();
    mean += 32;
  }
}

// @ts-ignore: decorator
@inline
function approachEither<T>(source: usize, by: f32, flags: i32, mean: usize, count: i32): void {
  const reverse = (flags & REVERSE) != 0;
  if (flags & WITH_NAN) approachAll<T, WithNaN>(source, by, reverse, mean, count);
  else approachAll<T, WithoutNaN>(source, by, reverse, mean, count);
}

// NaN is rare, so loops run without handling it first, and once more if there was one.

// @ts-ignore: decorator
@inline
function narrowTwice<T>(source: usize, out: usize, count: i32): void {
  if (narrowAll<T, WithoutNaN>(source, out, count)) narrowAll<T, WithNaN>(source, out, count);
}

// @ts-ignore: decorator
@inline
function stepTwice<T>(from: usize, to: usize, by: f32, out: usize, count: i32): void {
  if (stepAll<T, WithoutNaN>(from, to, by, out, count)) stepAll<T, WithNaN>(from, to, by, out, count);
}

/** Widens stored elements to f32. */
export function widen(code: i32, source: usize, out: usize, count: i32): void {
  if (code == F16) widenAll<Half>(source, out, count);
  else if (code == BF16) widenAll<Bfloat>(source, out, count);
  else if (code == F8E4M3) widenAll<Float8E4M3>(source, out, count);
  else if (code == F8E5M2) widenAll<Float8E5M2>(source, out, count);
  else memory.copy(out, source, 4 * count);
}

/** Rounds f32 to stored elements; `out` is not `source`. */
export function narrow(code: i32, source: usize, out: usize, count: i32): void {
  if (code == F16) narrowTwice<Half>(source, out, count);
  else if (code == BF16) narrowTwice<Bfloat>(source, out, count);
  else if (code == F8E4M3) narrowTwice<Float8E4M3>(source, out, count);
  else if (code == F8E5M2) narrowTwice<Float8E5M2>(source, out, count);
  else memory.copy(out, source, 4 * count);
}

/** out[i] = weight * source[i] in f32. */
export function scale(code: i32, source: usize, weight: f32, out: usize, count: i32): void {
  if (code == F16) scaleAll<Half>(source, weight, out, count);
  else if (code == BF16) scaleAll<Bfloat>(source, weight, out, count);
  else if (code == F8E4M3) scaleAll<Float8E4M3>(source, weight, out, count);
  else if (code == F8E5M2) scaleAll<Float8E5M2>(source, weight, out, count);
  else scaleAll<f32>(source, weight, out, count);
}

/** Flags of `approach`: whether to step from the elements towards the mean, and whether to handle NaN. */
const REVERSE = 1;
const WITH_NAN = 2;

/**
 * Makes a step from a mean in f32 towards stored elements; without the flag for it, a NaN has arbitrary
 * bits.
 */
export function approach(code: i32, source: usize, by: f32, flags: i32, mean: usize, count: i32): void {
  if (code == F16) approachEither<Half>(source, by, flags, mean, count);
  else if (code == BF16) approachEither<Bfloat>(source, by, flags, mean, count);
  else if (code == F8E4M3) approachEither<Float8E4M3>(source, by, flags, mean, count);
  else if (code == F8E5M2) approachEither<Float8E5M2>(source, by, flags, mean, count);
  else approachEither<f32>(source, by, flags, mean, count);
}

/** sum[i] += weight * source[i] in f32, the product rounded before it is added. */
export function add(code: i32, source: usize, weight: f32, sum: usize, count: i32): void {
  if (code == F16) addAll<Half>(source, weight, sum, count);
  else if (code == BF16) addAll<Bfloat>(source, weight, sum, count);
  else if (code == F8E4M3) addAll<Float8E4M3>(source, weight, sum, count);
  else if (code == F8E5M2) addAll<Float8E5M2>(source, weight, sum, count);
  else addAll<f32>(source, weight, sum, count);
}

/** out[i] = from[i] - by * (from[i] - to[i]), all three stored in the same type; `out` is neither source. */
export function step(code: i32, from: usize, to: usize, by: f32, out: usize, count: i32): void {
  if (code == F16) stepTwice<Half>(from, to, by, out, count);
  else if (code == BF16) stepTwice<Bfloat>(from, to, by, out, count);
  else if (code == F8E4M3) stepTwice<Float8E4M3>(from, to, by, out, count);
  else if (code == F8E5M2) stepTwice<Float8E5M2>(from, to, by, out, count);
  else stepTwice<f32>(from, to, by, out, count);
}

/** Replaces every NaN by the canonical one, since arithmetic may give any. */
export function canonicalize(at: usize, count: i32): void {
  const nan = i32x4.splat(0x7fc00000);
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(at);
    v128.store(at, v128.bitselect(x, nan, f32x4.eq(x, x)));
    at += 16;
  }
}

// @ts-ignore: decorator
@inline
function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/** sums[i % 8] += a[i] * b[i] in f64, where products of f32 are exact. */
export function dot(a: usize, b: usize, count: i32, sums: usize): void {
  let s0 = v128.load(sums);
  let s1 = v128.load(sums, 16);
  let s2 = v128.load(sums, 32);
  let s3 = v128.load(sums, 48);
  for (let i = 0; i < count; i += 8) {
    const a0 = v128.load(a);
    const b0 = v128.load(b);
    const a1 = v128.load(a, 16);
    const b1 = v128.load(b, 16);
    s0 = f64x2.add(s0, f64x2.mul(f64x2.promote_low_f32x4(a0), f64x2.promote_low_f32x4(b0)));
    s1 = f64x2.add(s1, f64x2.mul(promoteHigh(a0), promoteHigh(b0)));
    s2 = f64x2.add(s2, f64x2.mul(f64x2.promote_low_f32x4(a1), f64x2.promote_low_f32x4(b1)));
    s3 = f64x2.add(s3, f64x2.mul(promoteHigh(a1), promoteHigh(b1)));
    a += 32;
    b += 32;
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sums, s2, 32);
  v128.store(sums, s3, 48);
}

/** Start of the first group of 8 with a NaN or an infinity among f32, or -1. */
export function findNonFinite(at: usize, count: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  for (let i = 0; i < count; i += 8) {
    const x0 = i32x4.eq(v128.and(v128.load(at), exponent), exponent);
    const x1 = i32x4.eq(v128.and(v128.load(at, 16), exponent), exponent);
    if (v128.any_true(v128.or(x0, x1))) return i;
    at += 32;
  }
  return -1;
}
