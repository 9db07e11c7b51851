/**
 * Shortest augmenting paths over whole rows, in f64: the plain algorithm with SIMD rows and block minima. Used where lists do
 * not pay: small matrices, and matrices in which all bounds tie.
 *
 * Differences from the textbook: predecessors are not stored but found afterwards, by looking for the tree row that explains a
 * distance with the same operations; a column whose distance is final gets price -Infinity in a working copy, which takes it out
 * of every later minimum without a branch.
 */
import {
  BLOCK,
  denseMinima,
  distance,
  edge,
  fixedColumn,
  fixedDistance,
  getF64,
  getI32,
  height,
  match,
  owner,
  price,
  reducedPaid,
  rowAt,
  setF64,
  setI32,
  setPrice,
  sign,
  stride,
  treeRow,
  workPrice,
} from "./layout";
import { bring } from "./matrix";

/** Finds and applies a shortest augmenting path from the free row `start`; false if no free column can be reached. */
export function augmentDense(start: i32): bool {
  prepare();
  let treeSize = 0;
  let fixedCount = 0;
  let i = start;
  let rowHeight: f64 = 0;
  for (;;) {
    setI32(treeRow, treeSize, i);
    setF64(height, treeSize, rowHeight);
    ++treeSize;
    relaxRow(i, rowHeight);
    const j = nearestColumn();
    if (j < 0) return false;
    const d = getF64(distance, j);
    setI32(fixedColumn, fixedCount, j);
    setF64(fixedDistance, fixedCount, d);
    ++fixedCount;
    i = getI32(owner, j);
    if (i < 0) break;
    fix(j);
    rowHeight = reducedPaid(i) - d;
  }
  tracePath(fixedCount);
  settlePrices(fixedCount);
  return true;
}

/** Copies the prices and sets all distances to +Infinity. */
function prepare(): void {
  memory.copy(workPrice, price, <usize>stride << 3);
  const inf = f64x2.splat(f64.POSITIVE_INFINITY);
  const end = distance + (<usize>stride << 3);
  for (let at = distance; at < end; at += 16) v128.store(at, inf);
}

/** distance[j] = min(distance[j], c - price - rowHeight), with the minimum of every block. */
function relaxRow(i: i32, rowHeight: f64): void {
  const flip = i32x4.splat(sign);
  const low = f64x2.splat(rowHeight);
  let at = bring(i);
  let prices = workPrice;
  let to = distance;
  let out = denseMinima;
  const end = distance + (<usize>stride << 3);
  while (to < end) {
    let least = f64x2.splat(f64.POSITIVE_INFINITY);
    for (let k = 0; k < BLOCK; k += 4) {
      const c = v128.xor(v128.load(at), flip);
      const c0 = f64x2.promote_low_f32x4(c);
      const c1 = f64x2.promote_low_f32x4(v128.shuffle<i32>(c, c, 2, 3, 0, 1));
      const x0 = f64x2.sub(f64x2.sub(c0, v128.load(prices)), low);
      const x1 = f64x2.sub(f64x2.sub(c1, v128.load(prices, 16)), low);
      const d0 = f64x2.pmin(v128.load(to), x0);
      const d1 = f64x2.pmin(v128.load(to, 16), x1);
      v128.store(to, d0);
      v128.store(to, d1, 16);
      least = f64x2.pmin(least, f64x2.pmin(d0, d1));
      at += 16;
      prices += 32;
      to += 32;
    }
    storeLeast(out, least);
    out += 8;
  }
}

// @ts-ignore: decorator
@inline
function storeLeast(out: usize, pair: v128): void {
  const a = f64x2.extract_lane(pair, 0);
  const b = f64x2.extract_lane(pair, 1);
  store<f64>(out, a < b ? a : b);
}

/** Column of least distance that is not final, a free one if there is a choice in its block; -1 if none can be reached. */
function nearestColumn(): i32 {
  const blocks = stride / BLOCK;
  let least = f64.POSITIVE_INFINITY;
  let block = -1;
  for (let b = 0; b < blocks; ++b) {
    const x = getF64(denseMinima, b);
    if (x < least) {
      least = x;
      block = b;
    }
  }
  if (block < 0) return -1;
  let result = -1;
  for (let j = block * BLOCK; j < block * BLOCK + BLOCK; ++j) {
    if (getF64(distance, j) != least) continue;
    result = j;
    if (getI32(owner, j) < 0) return j;
  }
  return result;
}

/** Takes an owned column out of the search: its distance is final and has been noted. */
function fix(j: i32): void {
  setF64(distance, j, f64.POSITIVE_INFINITY);
  setF64(workPrice, j, f64.NEGATIVE_INFINITY);
}

/** Assigns the columns along the path that ends at the last fixed column. */
function tracePath(fixedCount: i32): void {
  // Column k of the fixed ones was final after rows 0..k of the tree; row k + 1 is its owner.
  let k = fixedCount - 1;
  for (;;) {
    const j = getI32(fixedColumn, k);
    const r = rowExplaining(j, getF64(fixedDistance, k), k);
    const i = getI32(treeRow, r);
    match(i, j, edge(rowAt(i), j));
    if (r == 0) return;
    k = r - 1;
  }
}

/** First tree row, up to `last`, through which column `j` has distance `d`. */
function rowExplaining(j: i32, d: f64, last: i32): i32 {
  const p = getF64(price, j);
  for (let r = 0; r < last; ++r) {
    if (edge(rowAt(getI32(treeRow, r)), j) - p - getF64(height, r) == d) return r;
  }
  return last;
}

function settlePrices(fixedCount: i32): void {
  const last = getF64(fixedDistance, fixedCount - 1);
  for (let k = 0; k < fixedCount; ++k) {
    const j = getI32(fixedColumn, k);
    setPrice(j, getF64(price, j) + (getF64(fixedDistance, k) - last));
  }
}
