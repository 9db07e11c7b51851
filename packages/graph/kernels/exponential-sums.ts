// Sums of exponentials of rows of logits in f64, for WebAssembly SIMD, with the bits of Math.exp in V8, which is that of fdlibm:
// every operation below is one of fdlibm's e_exp.c, in its order, for numbers up to 0.
//
// The memory is imported from @isthmus/core, so there must be no static data.

/** Coefficient of fdlibm's approximation of exp(r) - 1 by a quotient, with the terms of higher order. */
// @ts-ignore: decorator
@inline
function term(t: v128, coefficient: f64, higher: v128): v128 {
  return f64x2.add(f64x2.splat(coefficient), f64x2.mul(t, higher));
}

/** exp(x) for x <= 0: 2^k exp(r) with |r| <= ln(2) / 2. */
// @ts-ignore: decorator
@inline
function exponential(x: v128): v128 {
  // Below -746 every exponential rounds to 0. A NaN stays.
  const capped = f64x2.pmax(x, f64x2.splat(-746));
  const nearest = f64x2.trunc(f64x2.add(f64x2.mul(f64x2.splat(1.44269504088896338700), capped), f64x2.splat(-0.5)));
  // fdlibm compares high words of numbers: this is the first number whose high word is above that of ln(2) / 2.
  const first = f64x2.splat(-reinterpret<f64>(<u64>0x3fd62e4300000000));
  const k = v128.and(nearest, f64x2.le(capped, first));
  const high = f64x2.sub(capped, f64x2.mul(k, f64x2.splat(6.93147180369123816490e-1)));
  const low = f64x2.mul(k, f64x2.splat(1.90821492927058770002e-10));
  const r = f64x2.sub(high, low);
  const t = f64x2.mul(r, r);
  let p = term(t, -1.65339022054652515390e-6, f64x2.splat(4.13813679705723846039e-8));
  p = term(t, 6.61375632143793436117e-5, p);
  p = term(t, -2.77777777770155933842e-3, p);
  p = term(t, 1.66666666666666019037e-1, p);
  const c = f64x2.sub(r, f64x2.mul(t, p));
  const one = f64x2.splat(1);
  const quotient = f64x2.div(f64x2.mul(r, c), f64x2.sub(f64x2.splat(2), c));
  const scaled = f64x2.sub(one, f64x2.sub(f64x2.sub(low, quotient), high));
  const isTiny = f64x2.gt(capped, f64x2.splat(-3.7252902984619140625e-9));
  const y = v128.bitselect(f64x2.add(one, capped), scaled, isTiny);
  // The last bits of this sum are those of the whole number k.
  const whole = f64x2.add(k, f64x2.splat(6755399441055744));
  if (!v128.any_true(f64x2.lt(capped, f64x2.splat(-707)))) return i64x2.add(y, i64x2.shl(whole, 52));
  // Powers below the normal numbers are two factors, so that only the last product rounds.
  const half = f64x2.trunc(f64x2.mul(k, f64x2.splat(0.5)));
  return f64x2.mul(f64x2.mul(y, powerOfTwo(half)), powerOfTwo(f64x2.sub(k, half)));
}

/** 2^k of whole numbers between the exponents of normal numbers. */
// @ts-ignore: decorator
@inline
function powerOfTwo(k: v128): v128 {
  return i64x2.shl(f64x2.add(k, f64x2.splat(6755399441055744 + 1023)), 52);
}

/** The first largest number of a row; the first number if that is NaN. */
// @ts-ignore: decorator
@inline
function largestOf(row: usize, count: i32): f32 {
  const quads = row + ((<usize>count >> 2) << 4);
  const end = row + (<usize>count << 2);
  let lanes = f32x4.splat(load<f32>(row));
  for (let at = row; at < quads; at += 16) lanes = f32x4.pmax(lanes, v128.load(at));
  lanes = f32x4.pmax(lanes, v128.shuffle<i32>(lanes, lanes, 2, 3, 0, 1));
  lanes = f32x4.pmax(lanes, v128.shuffle<i32>(lanes, lanes, 1, 0, 3, 2));
  let largest = f32x4.extract_lane(lanes, 0);
  for (let at = quads; at < end; at += 4) {
    const value = load<f32>(at);
    if (value > largest) largest = value;
  }
  return largest;
}

// @ts-ignore: decorator
@inline
function indexOf(row: usize, count: i32, value: f32): i32 {
  for (let i = 0; i < count; i++) if (load<f32>(row + (<usize>i << 2)) == value) return i;
  return 0;
}

/**
 * For each row of f32 logits: writes the index of the first largest one as i32, and the sum of exponentials of all differences to it,
 * multiplied by a scale, as f64. Terms are added in their order.
 */
export function sumExponentials(
  logits: usize,
  rows: i32,
  classes: i32,
  scale: f64,
  sums: usize,
  bests: usize,
): void {
  const scales = f64x2.splat(scale);
  const width = <usize>classes << 2;
  const quads = (<usize>classes >> 2) << 4;
  for (let i = 0; i < rows; i++) {
    const row = logits + <usize>i * width;
    const largest = largestOf(row, classes);
    const top = f64x2.splat(largest);
    let sum: f64 = 0;
    for (let at: usize = 0; at < quads; at += 16) {
      const values = v128.load(row + at);
      const upper = v128.shuffle<i64>(values, values, 1, 1);
      const low = exponential(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(values), top), scales));
      const high = exponential(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(upper), top), scales));
      sum += f64x2.extract_lane(low, 0);
      sum += f64x2.extract_lane(low, 1);
      sum += f64x2.extract_lane(high, 0);
      sum += f64x2.extract_lane(high, 1);
    }
    for (let at = quads; at < width; at += 4) {
      const value = f64x2.splat(<f64>load<f32>(row + at));
      sum += f64x2.extract_lane(exponential(f64x2.mul(f64x2.sub(value, top), scales)), 0);
    }
    store<f64>(sums + (<usize>i << 3), sum);
    store<i32>(bests + (<usize>i << 2), indexOf(row, classes, largest));
  }
}
