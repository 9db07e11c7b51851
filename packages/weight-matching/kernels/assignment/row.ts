/**
 * Passes over one whole row of the matrix: block minima of the reduced costs c - price32, from which the least entries are found
 * without reading the row again.
 */
import {
  BLOCK,
  BLOCK_BYTES,
  blockMinima,
  columns,
  price32,
  rowAt,
  rowBytes,
  sign,
  stride,
} from "./layout";

/** f32x4[4]: least reduced cost of 16 groups of columns: columns with the same (pair of vectors, lane) inside their block. */
const groups: usize = memory.data(64, 16);
/** Whether a sum of the last checked pass is NaN: the row holds NaN, both infinities, or sums that overflowed. */
let suspicious: bool = false;

/** Reduced costs of four columns. */
// @ts-ignore: decorator
@inline
export function reduced(costs: v128, prices: v128, flip: v128): v128 {
  return f32x4.sub(v128.xor(costs, flip), prices);
}

/**
 * Fills `blockMinima` and `groups` for row `i`. `checked` also adds the row up: NaN cannot hide in a sum, and one addition is
 * cheaper than any comparison; overflow raises a false alarm at worst.
 * The flag is a literal at every call, so that each call compiles to its own loop.
 */
// @ts-ignore: decorator
@inline
function pass(i: i32, checked: bool): void {
  const flip = i32x4.splat(sign);
  const inf = f32x4.splat(f32.POSITIVE_INFINITY);
  let g0 = inf;
  let g1 = inf;
  let g2 = inf;
  let g3 = inf;
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  let at = rowAt(i);
  const end = at + rowBytes;
  let prices = price32;
  let out = blockMinima;
  while (at < end) {
    const x0 = reduced(v128.load(at), v128.load(prices), flip);
    const x1 = reduced(v128.load(at, 16), v128.load(prices, 16), flip);
    const x2 = reduced(v128.load(at, 32), v128.load(prices, 32), flip);
    const x3 = reduced(v128.load(at, 48), v128.load(prices, 48), flip);
    const x4 = reduced(v128.load(at, 64), v128.load(prices, 64), flip);
    const x5 = reduced(v128.load(at, 80), v128.load(prices, 80), flip);
    const x6 = reduced(v128.load(at, 96), v128.load(prices, 96), flip);
    const x7 = reduced(v128.load(at, 112), v128.load(prices, 112), flip);
    if (checked) {
      s0 = f32x4.add(s0, f32x4.add(x0, x1));
      s1 = f32x4.add(s1, f32x4.add(x2, x3));
      s2 = f32x4.add(s2, f32x4.add(x4, x5));
      s3 = f32x4.add(s3, f32x4.add(x6, x7));
    }
    const p0 = f32x4.pmin(x0, x1);
    const p1 = f32x4.pmin(x2, x3);
    const p2 = f32x4.pmin(x4, x5);
    const p3 = f32x4.pmin(x6, x7);
    g0 = f32x4.pmin(g0, p0);
    g1 = f32x4.pmin(g1, p1);
    g2 = f32x4.pmin(g2, p2);
    g3 = f32x4.pmin(g3, p3);
    v128.store(out, f32x4.pmin(f32x4.pmin(p0, p1), f32x4.pmin(p2, p3)));
    at += BLOCK_BYTES;
    prices += BLOCK_BYTES;
    out += 16;
  }
  v128.store(groups, g0, 0);
  v128.store(groups, g1, 16);
  v128.store(groups, g2, 32);
  v128.store(groups, g3, 48);
  if (checked) {
    const s = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
    suspicious = v128.any_true(f32x4.ne(s, s));
  }
}

/** First pass over a row: the same as `scanRow`, and returns the column of a value that is not a cost, or -1. */
export function readRow(i: i32): i32 {
  pass(i, true);
  return mayHoldBadCost() ? findBadCost(i) : -1;
}

/** Block and group minima of row `i` at the present prices. */
export function scanRow(i: i32): void {
  pass(i, false);
}

// @ts-ignore: decorator
@inline
function mayHoldBadCost(): bool {
  return suspicious || leastOfRow() == f32.NEGATIVE_INFINITY;
}

/** Column of the first NaN or -Infinity (after `sign`) in row `i`, or -1. */
function findBadCost(i: i32): i32 {
  const flip = i32x4.splat(sign);
  const low = f32x4.splat(f32.NEGATIVE_INFINITY);
  const at = rowAt(i);
  for (let o: usize = 0; o < rowBytes; o += 16) {
    const x = v128.xor(v128.load(at + o), flip);
    // Only a number above -Infinity compares greater.
    const good = i32x4.bitmask(f32x4.gt(x, low));
    if (good != 15) {
      const j = (<i32>o >> 2) + ctz(~good & 15);
      return j < columns ? j : -1;
    }
  }
  return -1;
}

function leastLane(x: v128): f32 {
  const y = f32x4.pmin(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmin(y, v128.shuffle<i32>(y, y, 1, 0, 3, 2)), 0);
}

function greatestLane(x: v128): f32 {
  const y = f32x4.pmax(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(y, v128.shuffle<i32>(y, y, 1, 0, 3, 2)), 0);
}

/** Least value of the last pass. */
export function leastOfRow(): f32 {
  const g0 = v128.load(groups, 0);
  const g1 = v128.load(groups, 16);
  const g2 = v128.load(groups, 32);
  const g3 = v128.load(groups, 48);
  return leastLane(f32x4.pmin(f32x4.pmin(g0, g1), f32x4.pmin(g2, g3)));
}

/**
 * A value that at least 4 (`few`) or 8 entries of the last pass do not exceed, and some 20 in a row without structure: for each
 * lane the least or second least of its four groups, then the largest of the four lanes.
 */
export function thresholdOfRow(few: bool): f32 {
  const g0 = v128.load(groups, 0);
  const g1 = v128.load(groups, 16);
  const g2 = v128.load(groups, 32);
  const g3 = v128.load(groups, 48);
  const low01 = f32x4.pmin(g0, g1);
  const low23 = f32x4.pmin(g2, g3);
  if (few) return greatestLane(f32x4.pmin(low01, low23));
  const high01 = f32x4.pmax(g0, g1);
  const high23 = f32x4.pmax(g2, g3);
  return greatestLane(f32x4.pmin(f32x4.pmax(low01, low23), f32x4.pmin(high01, high23)));
}

/** Largest of the group minima that are finite. */
export function greatestFiniteGroup(): f32 {
  let result = f32.NEGATIVE_INFINITY;
  for (let g: usize = 0; g < 64; g += 4) {
    const x = load<f32>(groups + g);
    if (x < f32.POSITIVE_INFINITY && x > result) result = x;
  }
  return result;
}

/** 32 bits: which columns of the block at `offset` bytes of row `i` have a reduced cost <= `limit`. */
// @ts-ignore: decorator
@inline
export function blockMask(row: usize, offset: usize, limit: v128): u32 {
  const flip = i32x4.splat(sign);
  const at = row + offset;
  const prices = price32 + offset;
  const m0 = f32x4.le(reduced(v128.load(at), v128.load(prices), flip), limit);
  const m1 = f32x4.le(reduced(v128.load(at, 16), v128.load(prices, 16), flip), limit);
  const m2 = f32x4.le(reduced(v128.load(at, 32), v128.load(prices, 32), flip), limit);
  const m3 = f32x4.le(reduced(v128.load(at, 48), v128.load(prices, 48), flip), limit);
  const m4 = f32x4.le(reduced(v128.load(at, 64), v128.load(prices, 64), flip), limit);
  const m5 = f32x4.le(reduced(v128.load(at, 80), v128.load(prices, 80), flip), limit);
  const m6 = f32x4.le(reduced(v128.load(at, 96), v128.load(prices, 96), flip), limit);
  const m7 = f32x4.le(reduced(v128.load(at, 112), v128.load(prices, 112), flip), limit);
  const low = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m0, m1), i16x8.narrow_i32x4_s(m2, m3));
  const high = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m4, m5), i16x8.narrow_i32x4_s(m6, m7));
  return <u32>i8x16.bitmask(low) | (<u32>i8x16.bitmask(high) << 16);
}

/** Blocks of a row. */
// @ts-ignore: decorator
@inline
export function blockCount(): i32 {
  return stride / BLOCK;
}

/** Column nearest after `start`, cyclically by block, whose value in the last pass is `least`. */
export function columnAt(row: usize, least: f32, start: i32): i32 {
  const limit = f32x4.splat(least);
  const count = blockCount();
  const first = start / BLOCK;
  for (let k = 0; k < count; ++k) {
    const b = first + k < count ? first + k : first + k - count;
    const minima = v128.load(blockMinima + (<usize>b << 4));
    if (!v128.any_true(f32x4.le(minima, limit))) continue;
    let mask = blockMask(row, <usize>b * BLOCK_BYTES, limit);
    if (k == 0) {
      const later = mask & (<u32>-1 << (start & (BLOCK - 1)));
      if (later != 0) mask = later;
    }
    return b * BLOCK + ctz<u32>(mask);
  }
  return -1;
}
