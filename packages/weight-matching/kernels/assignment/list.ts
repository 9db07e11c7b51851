/**
 * Candidate lists: for each row the columns of least reduced cost, and a bound below which no other column can be.
 *
 * Invariant: a column that is not in the list of row i has c - price >= bound[i]. Prices only decrease, so reduced costs only
 * grow and the invariant lasts. A minimum read from a list is exact when it does not exceed the bound; otherwise the list of
 * this one row is built again.
 */
import {
  BLOCK,
  BLOCK_BYTES,
  LIST_ROOM,
  blockMinima,
  bound,
  columns,
  edge,
  getF64,
  getI32,
  listColumn,
  listCost,
  listCount,
  price,
  rowAt,
  setF64,
  setI32,
  sign,
} from "./layout";
import {
  blockCount,
  blockMask,
  greatestFiniteGroup,
  leastOfRow,
  scanRow,
  thresholdOfRow,
} from "./row";

/** Result of the last look at a row: least and second least reduced cost and their columns (-1: none known). */
export let least: f64 = 0;
export let leastColumn: i32 = -1;
export let second: f64 = 0;
export let secondColumn: i32 = -1;

/** List builds since the start of the solve. */
export let builds: i32 = 0;

/** Halvings of the threshold before a list that overflows is taken to be made of ties. */
const NARROWINGS: i32 = 12;

export function resetLists(): void {
  builds = 0;
}

/** Forgets the list of a row: its bound is below everything. */
export function dropList(i: i32): void {
  setF64(bound, i, f64.NEGATIVE_INFINITY);
  setI32(listCount, i, 0);
}

/** Builds the list of row `i` at the present prices. */
export function buildList(i: i32): void {
  scanRow(i);
  fillList(i);
}

/** The same, when the block minima of the row at the present prices are at hand. */
export function fillList(i: i32): void {
  ++builds;
  const threshold = thresholdOfRow(false);
  if (threshold == f32.POSITIVE_INFINITY) {
    fillSparse(i);
    return;
  }
  if (!collect(i, threshold)) fillNarrow(i, thresholdOfRow(true));
}

/** Lists every entry up to `limit`; false (and no list) if there are too many. */
function collect(i: i32, limit: f32): bool {
  const row = rowAt(i);
  const limits = f32x4.splat(limit);
  const count = blockCount();
  const first = i / BLOCK < count ? i / BLOCK : 0;
  let size = collectBlocks(i, row, limits, first, count, 0);
  if (size <= LIST_ROOM) size = collectBlocks(i, row, limits, 0, first, size);
  if (size > LIST_ROOM) {
    dropList(i);
    return false;
  }
  setI32(listCount, i, size);
  setF64(bound, i, <f64>limit);
  return true;
}

/** Appends the entries up to `limit` of some blocks; returns the new size, above LIST_ROOM when they do not fit. */
function collectBlocks(i: i32, row: usize, limit: v128, from: i32, to: i32, size: i32): i32 {
  const list = <usize>(i * LIST_ROOM + size) << 2;
  let columnsAt = listColumn + list;
  let costsAt = listCost + list;
  for (let b = from; b < to; ++b) {
    const minima = v128.load(blockMinima + (<usize>b << 4));
    if (!v128.any_true(f32x4.le(minima, limit))) continue;
    let mask = blockMask(row, <usize>b * BLOCK_BYTES, limit);
    size += popcnt<u32>(mask);
    if (size > LIST_ROOM) return size;
    while (mask != 0) {
      const j = b * BLOCK + ctz<u32>(mask);
      mask &= mask - 1;
      store<i32>(columnsAt, j);
      store<i32>(costsAt, load<i32>(row + (<usize>j << 2)) ^ sign);
      columnsAt += 4;
      costsAt += 4;
    }
  }
  return size;
}

/** Lists a row with too many entries, by bisection from `limit` towards its least entry. */
function fillNarrow(i: i32, limit: f32): void {
  const floor = leastOfRow();
  for (let round = 0; round < NARROWINGS && limit > floor; ++round) {
    if (collect(i, limit)) return;
    limit = floor + (limit - floor) * 0.5;
  }
  if (floor == f32.POSITIVE_INFINITY || !collect(i, floor)) fillTies(i);
}

/** Lists a row in which whole groups of columns are forbidden: all allowed columns if they fit, and then nothing is left out. */
function fillSparse(i: i32): void {
  const list = <usize>(i * LIST_ROOM) << 2;
  let size = 0;
  for (let j = 0; j < columns; ++j) {
    const c = <f32>edge(i, j);
    if (c == f32.POSITIVE_INFINITY) continue;
    if (size == LIST_ROOM) {
      fillNarrow(i, greatestFiniteGroup());
      return;
    }
    store<i32>(listColumn + list + (<usize>size << 2), j);
    store<f32>(listCost + list + (<usize>size << 2), c);
    ++size;
  }
  setI32(listCount, i, size);
  setF64(bound, i, f64.POSITIVE_INFINITY);
}

/**
 * Lists as many of the least entries as fit, from column `i` on, when more of them are equal than fit, or when the reduced costs
 * overflow f32.
 */
function fillTies(i: i32): void {
  lookDense(i);
  const list = <usize>(i * LIST_ROOM) << 2;
  let size = 0;
  for (let k = 0; k < columns && size < LIST_ROOM; ++k) {
    const j = (i + k) % columns;
    const c = edge(i, j);
    if (c - getF64(price, j) != least) continue;
    store<i32>(listColumn + list + (<usize>size << 2), j);
    store<f32>(listCost + list + (<usize>size << 2), <f32>c);
    ++size;
  }
  setI32(listCount, i, size);
  setF64(bound, i, least);
}

/** Sets `least` and `second` from the whole row, in f64. */
function lookDense(i: i32): void {
  resetLook();
  for (let j = 0; j < columns; ++j) consider(edge(i, j) - getF64(price, j), j);
}

// @ts-ignore: decorator
@inline
function resetLook(): void {
  least = f64.POSITIVE_INFINITY;
  second = f64.POSITIVE_INFINITY;
  leastColumn = -1;
  secondColumn = -1;
}

// @ts-ignore: decorator
@inline
function consider(x: f64, j: i32): void {
  if (x >= second) return;
  if (x < least) {
    second = least;
    secondColumn = leastColumn;
    least = x;
    leastColumn = j;
  } else {
    second = x;
    secondColumn = j;
  }
}

/** Sets `least` and `second` from the list of row `i`: exact up to its bound. */
function lookAtList(i: i32): void {
  let low = f64.POSITIVE_INFINITY;
  let next = f64.POSITIVE_INFINITY;
  let lowColumn = -1;
  let nextColumn = -1;
  const list = <usize>(i * LIST_ROOM) << 2;
  const end = list + (<usize>getI32(listCount, i) << 2);
  for (let at = list; at < end; at += 4) {
    const j = load<i32>(listColumn + at);
    const x = <f64>load<f32>(listCost + at) - getF64(price, j);
    if (x < next) {
      if (x < low) {
        next = low;
        nextColumn = lowColumn;
        low = x;
        lowColumn = j;
      } else {
        next = x;
        nextColumn = j;
      }
    }
  }
  least = low;
  second = next;
  leastColumn = lowColumn;
  secondColumn = nextColumn;
}

/** Sets `least` of row `i` exactly, and `second` exactly or to a lower value (then without a column). */
export function topTwo(i: i32): void {
  lookAtList(i);
  if (second <= getF64(bound, i)) return;
  buildList(i);
  lookAtList(i);
  const limit = getF64(bound, i);
  // Prices are finer than f32: the list may hold its entries a rounding above the bound.
  if (least > limit) lookDense(i);
  else if (second > limit) {
    second = limit;
    secondColumn = -1;
  }
}

/** Least reduced cost of row `i`, exact. */
export function leastOf(i: i32): f64 {
  lookAtList(i);
  if (least <= getF64(bound, i)) return least;
  buildList(i);
  lookAtList(i);
  if (least > getF64(bound, i)) lookDense(i);
  return least;
}

/** Whether the reduced cost `x` of an edge of row `i` is within `eps` of the least of the row. */
export function isWithin(i: i32, x: f64, eps: f64): bool {
  lookAtList(i);
  const known = min(least, getF64(bound, i));
  if (x - known <= eps) return true;
  if (least <= getF64(bound, i)) return false;
  return x - leastOf(i) <= eps;
}
