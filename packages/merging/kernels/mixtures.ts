// Sums of task vectors of several networks, element by element, for WebAssembly SIMD. src/kernels/mixtures.ts says
// what each does, and gives the same bits.
//
// A table has 8 words for each network: the address of its elements; what they are; the least magnitude that is
// kept and for how many more patterns, unsigned; a factor and a weight of the differences; a scale of the differences
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

/** Differences to a base whose magnitudes are from `least` on less than `span`, times a factor and a weight. */
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
  return f32x4.mul(f32x4.mul(v128.and(difference, i32x4.lt_u(distance, span)), factor), weight);
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
      sum0 = f32x4.div(sum0, f32x4.max(shares0, floor));
      sum1 = f32x4.div(sum1, f32x4.max(shares1, floor));
    } else if (divides == 2) {
      sum0 = v128.bitselect(f32x4.div(sum0, shares0), sum0, f32x4.gt(f32x4.abs(shares0), floor));
      sum1 = v128.bitselect(f32x4.div(sum1, shares1), sum1, f32x4.gt(f32x4.abs(shares1), floor));
    }
    v128.store(out + 4 * i, changed(base0, f32x4.mul(sum0, scale)));
    v128.store(out + 4 * i, changed(base1, f32x4.mul(sum1, scale)), 16);
  }
}
