// Sums of task vectors of several networks, element by element, for WebAssembly SIMD. src/kernels/mixtures.ts says
// what each does, and gives the same bits.
//
// A table has 8 words for each network: the address of its elements; what they are; the least magnitude that is
// kept and for how many more patterns, both with 2^31 added so that they compare as unsigned numbers do; a factor and a weight of the differences; a scale of the differences
// that are added, and the share that each of them has in the divisor. The memory is imported from @isthmus/core, so
// there must be no static data. Every count is a multiple of 8.

const ROW: usize = 32;
const SIGN: i32 = 0x80000000;
const MAGNITUDE: i32 = 0x7fffffff;

/** What elements are: bf16, or f32 numbers, both from a base; or f32 differences to it. */
const BFLOATS: u32 = 1;
const DIFFERENCES: u32 = 2;

// @ts-ignore: decorator
@inline
function fourNumbers(address: usize, kind: u32, i: usize): v128 {
  // A bf16 is the upper half of an f32.
  if (kind == BFLOATS) return i32x4.shl(v128.load16x4_u(address + 2 * i), 16);
  return v128.load(address + 4 * i);
}

// @ts-ignore: decorator
@inline
function total(x: v128): i32 {
  return i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3);
}

/** How far the magnitudes of four differences are above `least`, or below it. */
// @ts-ignore: decorator
@inline
function distances(network: usize, kind: u32, base: usize, baseKind: u32, least: v128, i: usize): v128 {
  const x = fourNumbers(network, kind, i);
  const difference = kind == DIFFERENCES ? x : f32x4.sub(x, fourNumbers(base, baseKind, i));
  return i32x4.sub(v128.and(difference, i32x4.splat(MAGNITUDE)), least);
}

/**
 * Writes the indices of differences whose magnitudes are at least `least` by less than `span`, an unsigned number, and
 * by how much; returns how many there are, plus 2^32 times how many magnitudes are below `least`.
 * @param scratch - memory for 8 numbers
 */
export function listMagnitudes(
  network: usize,
  kind: u32,
  base: usize,
  baseKind: u32,
  least: i32,
  span: i32,
  indices: usize,
  excesses: usize,
  scratch: usize,
  count: i32,
): i64 {
  const low = i32x4.splat(least);
  const sign = i32x4.splat(SIGN);
  const range = v128.xor(i32x4.splat(span), sign);
  let below = i32x4.splat(0);
  let listed: usize = 0;
  for (let i: usize = 0; i < <usize>count; i += 8) {
    const x = distances(network, kind, base, baseKind, low, i);
    const y = distances(network, kind, base, baseKind, low, i + 4);
    below = i32x4.sub(below, i32x4.add(i32x4.shr_s(x, 31), i32x4.shr_s(y, 31)));
    // With their signs turned, numbers compare as unsigned ones do.
    const isListed = i32x4.lt_s(v128.xor(x, sign), range);
    const isListedToo = i32x4.lt_s(v128.xor(y, sign), range);
    if (v128.any_true(v128.or(isListed, isListedToo))) {
      v128.store(scratch, x);
      v128.store(scratch, y, 16);
      let bits = i32x4.bitmask(isListed) | (i32x4.bitmask(isListedToo) << 4);
      do {
        const place = ctz(bits);
        store<i32>(indices + listed, <i32>i + place);
        store<i32>(excesses + listed, load<i32>(scratch + 4 * <usize>place));
        listed += 4;
        bits &= bits - 1;
      } while (bits != 0);
    }
  }
  return (<i64>total(below) << 32) | <i64>(listed >> 2);
}

/** Differences to a base whose magnitudes are less than `span` above `least`, times a factor and a weight. */
// @ts-ignore: decorator
@inline
function weighed(
  numbers: v128,
  base: v128,
  kind: u32,
  least: v128,
  span: v128,
  factor: v128,
  weight: v128,
): v128 {
  const difference = kind == DIFFERENCES ? numbers : f32x4.sub(numbers, base);
  const distance = i32x4.sub(v128.and(difference, i32x4.splat(MAGNITUDE)), least);
  return f32x4.mul(f32x4.mul(v128.and(difference, i32x4.lt_s(distance, span)), factor), weight);
}

/** Signs of numbers: 1, 0 or -1. */
// @ts-ignore: decorator
@inline
function signs(x: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  return f32x4.sub(v128.and(one, f32x4.gt(x, zero)), v128.and(one, f32x4.lt(x, zero)));
}

/** Numbers of the elected sign, others as 0. */
// @ts-ignore: decorator
@inline
function agreeing(x: v128, votes: v128): v128 {
  return v128.andnot(x, i32x4.shr_s(v128.xor(votes, x), 31));
}

/** A base plus changes; a negative zero changes no number that it is added to. */
// @ts-ignore: decorator
@inline
function changed(base: v128, change: v128): v128 {
  const isZero = v128.and(f32x4.eq(change, f32x4.splat(0)), i32x4.splat(SIGN));
  return f32x4.add(base, v128.or(change, isZero));
}

/** Writes the base plus the sum of all differences, times a factor. */
export function mixAll(
  table: usize,
  networks: i32,
  base: usize,
  baseKind: u32,
  factor: f32,
  out: usize,
  count: i32,
): void {
  const scale = f32x4.splat(factor);
  const last = table + ROW * <usize>networks;
  for (let i: usize = 0; i < <usize>count; i += 8) {
    const base0 = fourNumbers(base, baseKind, i);
    const base1 = fourNumbers(base, baseKind, i + 4);
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    for (let row = table; row < last; row += ROW) {
      const address: usize = load<u32>(row);
      const kind = load<u32>(row, 4);
      const least = v128.load32_splat(row, 8);
      const span = v128.load32_splat(row, 12);
      const f = v128.load32_splat(row, 16);
      const w = v128.load32_splat(row, 20);
      sum0 = f32x4.add(sum0, weighed(fourNumbers(address, kind, i), base0, kind, least, span, f, w));
      sum1 = f32x4.add(sum1, weighed(fourNumbers(address, kind, i + 4), base1, kind, least, span, f, w));
    }
    v128.store(out + 4 * i, changed(base0, f32x4.mul(sum0, scale)));
    v128.store(out + 4 * i, changed(base1, f32x4.mul(sum1, scale)), 16);
  }
}

/**
 * Writes the base plus the sum of the differences of the elected sign, times a factor. Differences vote by their
 * sum, or where `counts` is not 0 by their signs. Sums are divided, unless `divides` is 0, by the sum of shares: where
 * it is 1 raised to at least `least`, where it is 2 if it is larger than that in size.
 * @param scratch - memory for 8 numbers of each network
 */
export function mixElected(
  table: usize,
  networks: i32,
  base: usize,
  baseKind: u32,
  counts: i32,
  divides: i32,
  least: f32,
  factor: f32,
  scratch: usize,
  out: usize,
  count: i32,
): void {
  const floor = f32x4.splat(least);
  const scale = f32x4.splat(factor);
  const zero = f32x4.splat(0);
  const last = table + ROW * <usize>networks;
  for (let i: usize = 0; i < <usize>count; i += 8) {
    const base0 = fourNumbers(base, baseKind, i);
    const base1 = fourNumbers(base, baseKind, i + 4);
    let votes0 = zero;
    let votes1 = zero;
    let place = scratch;
    for (let row = table; row < last; row += ROW) {
      const address: usize = load<u32>(row);
      const kind = load<u32>(row, 4);
      const first = v128.load32_splat(row, 8);
      const span = v128.load32_splat(row, 12);
      const f = v128.load32_splat(row, 16);
      const w = v128.load32_splat(row, 20);
      const x = weighed(fourNumbers(address, kind, i), base0, kind, first, span, f, w);
      const y = weighed(fourNumbers(address, kind, i + 4), base1, kind, first, span, f, w);
      v128.store(place, x);
      v128.store(place, y, 16);
      place += 32;
      if (counts) {
        votes0 = f32x4.add(votes0, signs(x));
        votes1 = f32x4.add(votes1, signs(y));
      } else {
        votes0 = f32x4.add(votes0, x);
        votes1 = f32x4.add(votes1, y);
      }
    }
    let sum0 = zero;
    let sum1 = zero;
    let shares0 = zero;
    let shares1 = zero;
    place = scratch;
    for (let row = table; row < last; row += ROW) {
      const x = agreeing(v128.load(place), votes0);
      const y = agreeing(v128.load(place, 16), votes1);
      place += 32;
      const f = v128.load32_splat(row, 24);
      const share = v128.load32_splat(row, 28);
      sum0 = f32x4.add(sum0, f32x4.mul(x, f));
      sum1 = f32x4.add(sum1, f32x4.mul(y, f));
      shares0 = f32x4.add(shares0, v128.and(share, f32x4.ne(x, zero)));
      shares1 = f32x4.add(shares1, v128.and(share, f32x4.ne(y, zero)));
    }
    if (divides == 1) {
      sum0 = f32x4.div(sum0, f32x4.pmax(shares0, floor));
      sum1 = f32x4.div(sum1, f32x4.pmax(shares1, floor));
    } else if (divides == 2) {
      sum0 = v128.bitselect(f32x4.div(sum0, shares0), sum0, f32x4.gt(f32x4.abs(shares0), floor));
      sum1 = v128.bitselect(f32x4.div(sum1, shares1), sum1, f32x4.gt(f32x4.abs(shares1), floor));
    }
    v128.store(out + 4 * i, changed(base0, f32x4.mul(sum0, scale)));
    v128.store(out + 4 * i, changed(base1, f32x4.mul(sum1, scale)), 16);
  }
}
