/**
 * Passes over one whole row of the matrix: block minima of the reduced costs c - price32, from which the least entries are found
 * without reading the row again.
 */
import {
  BLOCK,
  BLOCK_BYTES,
  blockMinima,
  columns,
  foundBlocks,
  price32,
  rowBytes,
  sign,
  stride,
} from "./layout";

/** f32x4[4]: least reduced cost of 16 groups of columns: columns with the same (pair of vectors, lane) inside their block. */
const groups: usize = memory.data(64, 16);
/** Whether a sum of the last checked pass is NaN: the row holds NaN, or infinities of both signs, or sums that overflowed to them. */
let suspicious: bool = false;

/** Reduced costs of four columns. */
// @ts-ignore: decorator
@inline
export function reduced(costs: v128, prices: v128, flip: v128): v128 {
  return f32x4.sub(v128.xor(costs, flip), prices);
}

/**
 * Fills `blockMinima` and `groups` for the row at `row`, from reduced costs if `priced`, else from costs. `checked` also adds the
 * row up: minima pass over NaN, sums do not, and one addition is cheaper than a comparison. The flags are literals at every call, so that each call compiles to its own loop.
 */
// @ts-ignore: decorator
@inline
function pass(row: usize, priced: bool, checked: bool): void {
  const flip = i32x4.splat(sign);
  const inf = f32x4.splat(f32.POSITIVE_INFINITY);
  let g0 = inf;
  let g1 = inf;
  let g2 = inf;
  let g3 = inf;
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let at = row;
  const end = row + rowBytes;
  let prices = price32;
  let out = blockMinima;
  while (at < end) {
    let x0 = v128.xor(v128.load(at), flip);
    let x1 = v128.xor(v128.load(at, 16), flip);
    let x2 = v128.xor(v128.load(at, 32), flip);
    let x3 = v128.xor(v128.load(at, 48), flip);
    let x4 = v128.xor(v128.load(at, 64), flip);
    let x5 = v128.xor(v128.load(at, 80), flip);
    let x6 = v128.xor(v128.load(at, 96), flip);
    let x7 = v128.xor(v128.load(at, 112), flip);
    if (priced) {
      x0 = f32x4.sub(x0, v128.load(prices));
      x1 = f32x4.sub(x1, v128.load(prices, 16));
      x2 = f32x4.sub(x2, v128.load(prices, 32));
      x3 = f32x4.sub(x3, v128.load(prices, 48));
      x4 = f32x4.sub(x4, v128.load(prices, 64));
      x5 = f32x4.sub(x5, v128.load(prices, 80));
      x6 = f32x4.sub(x6, v128.load(prices, 96));
      x7 = f32x4.sub(x7, v128.load(prices, 112));
      prices += BLOCK_BYTES;
    }
    if (checked) {
      s0 = f32x4.add(s0, f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)));
      s1 = f32x4.add(s1, f32x4.add(f32x4.add(x4, x5), f32x4.add(x6, x7)));
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
    out += 16;
  }
  v128.store(groups, g0, 0);
  v128.store(groups, g1, 16);
  v128.store(groups, g2, 32);
  v128.store(groups, g3, 48);
  if (checked) {
    const s = f32x4.add(s0, s1);
    suspicious = v128.any_true(f32x4.ne(s, s));
  }
}

/**
 * First pass over a row, at prices 0 unless `priced`: the same as `scanRow`, and returns the column of a value that is not a cost,
 * or -1.
 */
export function readRow(row: usize, priced: bool): i32 {
  if (priced) pass(row, true, true);
  else pass(row, false, true);
  return suspicious || leastOfRow() == f32.NEGATIVE_INFINITY ? findBadCost(row) : -1;
}

/** Block and group minima of the row at `row`, at the present prices. */
export function scanRow(row: usize): void {
  pass(row, true, false);
}

/** Column of the first NaN or -Infinity (after `sign`) in a row, or -1. */
function findBadCost(row: usize): i32 {
  const flip = i32x4.splat(sign);
  const low = f32x4.splat(f32.NEGATIVE_INFINITY);
  for (let o: usize = 0; o < rowBytes; o += 16) {
    const x = v128.xor(v128.load(row + o), flip);
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

/** Block at a place of the last `findBlocks`. */
// @ts-ignore: decorator
@inline
export function blockFound(k: i32): i32 {
  return load<i32>(foundBlocks + (<usize>k << 2));
}

/**
 * Finds the blocks of the last pass with an entry up to `limit`; returns their number. Every block is noted and the count moves on only
 * past those that qualify: which ones do is as good as random, and a branch would be guessed wrong.
 */
export function findBlocks(limit: f32): i32 {
  const limits = f32x4.splat(limit);
  let out = foundBlocks;
  const end = blockMinima + (<usize>blockCount() << 4);
  let b = 0;
  for (let at = blockMinima; at < end; at += 16) {
    store<i32>(out, b);
    out += <usize>v128.any_true(f32x4.le(v128.load(at), limits)) << 2;
    ++b;
  }
  return <i32>((out - foundBlocks) >> 2);
}

/** First block from `from` on, before `to`, with an entry up to `limit` in the last pass; `to` or more if there is none. */
function firstBlock(from: i32, to: i32, limit: v128): i32 {
  let b = from;
  // Four at a time, as only one will do. Beyond `to` lies memory that may be read: what it holds is looked at again below.
  for (; b < to; b += 4) {
    const at = blockMinima + (<usize>b << 4);
    const m01 = f32x4.pmin(v128.load(at), v128.load(at, 16));
    const m23 = f32x4.pmin(v128.load(at, 32), v128.load(at, 48));
    if (v128.any_true(f32x4.le(f32x4.pmin(m01, m23), limit))) break;
  }
  while (b < to && !v128.any_true(f32x4.le(v128.load(blockMinima + (<usize>b << 4)), limit))) ++b;
  return b;
}

/** Column nearest after column `start`, cyclically by block, whose value in the last pass is `least`. */
export function columnAt(row: usize, least: f32, start: i32): i32 {
  const limit = f32x4.splat(least);
  const first = start / BLOCK;
  let b = firstBlock(first, blockCount(), limit);
  if (b >= blockCount()) b = firstBlock(0, first, limit);
  let mask = blockMask(row, <usize>b * BLOCK_BYTES, limit);
  if (b == first) {
    const later = mask & (<u32>-1 << (start & (BLOCK - 1)));
    if (later != 0) mask = later;
  }
  return b * BLOCK + ctz<u32>(mask);
}
