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
  LIST_GROUP,
  LIST_ROOM,
  bound,
  columns,
  edge,
  getF64,
  getI32,
  listColumn,
  listCost,
  listCount,
  price,
  reducedEdge,
  rowAt,
  setF64,
  setI32,
  sign,
} from "./layout";
import { bring } from "./matrix";
import {
  blockFound,
  blockMask,
  findBlocks,
  greatestFiniteGroup,
  leastOfRow,
  scanRow,
  thresholdOfRow,
} from "./row";

/** Result of the last look at a row: least and second least reduced cost, and the column of the least (-1: none is allowed). */
export let least: f64 = 0;
export let leastColumn: i32 = -1;
export let second: f64 = 0;
/** Place of the least in the list, or -1 after a look at the whole row, which notes the second column instead. */
let leastPlace: i32 = -1;
let secondDense: i32 = -1;
/** Whether `second` is attained by a known column, rather than a bound. */
let secondKnown: bool = false;

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
  const row = bring(i);
  scanRow(row);
  fillList(i, row);
}

/**
 * The same, when the row lies at `row` and its block minima are at hand. They may be from before some prices decreased: the list is then
 * shorter, and no less right.
 */
export function fillList(i: i32, row: usize): void {
  fillUpTo(i, row, thresholdOfRow(false));
}

/** The same with a handful of candidates, for rows that will hardly need more. */
export function fillShortList(i: i32, row: usize): void {
  fillUpTo(i, row, thresholdOfRow(true));
}

function fillUpTo(i: i32, row: usize, threshold: f32): void {
  ++builds;
  if (threshold == f32.POSITIVE_INFINITY) {
    fillSparse(i, row);
    return;
  }
  if (!collect(i, row, threshold)) fillNarrow(i, row, thresholdOfRow(true));
}

/** Lists every entry up to `limit`; false (and no list) if there are too many. */
function collect(i: i32, row: usize, limit: f32): bool {
  const limits = f32x4.splat(limit);
  const found = findBlocks(limit);
  const list = <usize>(i * LIST_ROOM) << 2;
  let size = 0;
  for (let k = 0; k < found; ++k) {
    const b = blockFound(k);
    let mask = blockMask(row, <usize>b * BLOCK_BYTES, limits);
    if (size + popcnt<u32>(mask) > LIST_ROOM) {
      dropList(i);
      return false;
    }
    while (mask != 0) {
      put(list, size++, b * BLOCK + ctz<u32>(mask), row);
      mask &= mask - 1;
    }
  }
  finishList(i, size, <f64>limit);
  return true;
}

/** Writes one entry of the list at `list` bytes. */
// @ts-ignore: decorator
@inline
function put(list: usize, place: i32, j: i32, row: usize): void {
  const at = list + (<usize>place << 2);
  store<i32>(listColumn + at, j);
  store<i32>(listCost + at, load<i32>(row + (<usize>j << 2)) ^ sign);
}

/** Pads a list of `size` entries to whole groups and sets its bound. */
function finishList(i: i32, size: i32, limit: f64): void {
  const list = <usize>(i * LIST_ROOM) << 2;
  while ((size & (LIST_GROUP - 1)) != 0) {
    store<i32>(listColumn + list + (<usize>size << 2), 0);
    store<f32>(listCost + list + (<usize>size << 2), f32.POSITIVE_INFINITY);
    ++size;
  }
  setI32(listCount, i, size);
  setF64(bound, i, limit);
}

/** Lists a row with too many entries, by bisection from `limit` towards its least entry. */
function fillNarrow(i: i32, row: usize, limit: f32): void {
  const floor = leastOfRow();
  for (let round = 0; round < NARROWINGS && limit > floor; ++round) {
    if (collect(i, row, limit)) return;
    limit = floor + (limit - floor) * 0.5;
  }
  if (floor == f32.POSITIVE_INFINITY || !collect(i, row, floor)) fillTies(i, row);
}

/** Lists a row in which whole groups of columns are forbidden: all allowed columns if they fit, and then nothing is left out. */
function fillSparse(i: i32, row: usize): void {
  const list = <usize>(i * LIST_ROOM) << 2;
  let size = 0;
  for (let j = 0; j < columns; ++j) {
    if (edge(row, j) == f64.POSITIVE_INFINITY) continue;
    if (size == LIST_ROOM) {
      fillNarrow(i, row, greatestFiniteGroup());
      return;
    }
    put(list, size++, j, row);
  }
  finishList(i, size, f64.POSITIVE_INFINITY);
}

/**
 * Lists as many of the least entries as fit, from column `i` on, when more of them are equal than fit, or when the reduced costs
 * overflow f32.
 */
function fillTies(i: i32, row: usize): void {
  lookDense(row);
  const list = <usize>(i * LIST_ROOM) << 2;
  let size = 0;
  for (let k = 0; k < columns && size < LIST_ROOM; ++k) {
    const j = (i + k) % columns;
    if (reducedEdge(row, j) == least) put(list, size++, j, row);
  }
  finishList(i, size, least);
}

/** Sets `least` and `second` from the whole row, in f64. */
function lookDense(row: usize): void {
  least = f64.POSITIVE_INFINITY;
  second = f64.POSITIVE_INFINITY;
  leastColumn = -1;
  leastPlace = -1;
  secondDense = -1;
  secondKnown = true;
  for (let j = 0; j < columns; ++j) {
    const x = reducedEdge(row, j);
    if (x < least) {
      second = least;
      secondDense = leastColumn;
      least = x;
      leastColumn = j;
    } else if (x < second) {
      second = x;
      secondDense = j;
    }
  }
}

/** Reduced costs of two listed edges: `costs` holds theirs in its low half, `at` is where their columns are. */
// @ts-ignore: decorator
@inline
function reducedPair(costs: v128, at: usize): v128 {
  const p = v128.load_lane<i64>(
    price + (<usize>load<i32>(at, 4) << 3),
    v128.load_zero<i64>(price + (<usize>load<i32>(at) << 3)),
    1,
  );
  return f64x2.sub(f64x2.promote_low_f32x4(costs), p);
}

/** f64[LIST_ROOM]: reduced costs of the list looked at last. */
const looked: usize = memory.data(512, 16);

/** Sets `least` and `second` from the list of row `i`: exact up to its bound. `second` gets its column when asked for. */
function lookAtList(i: i32): void {
  const list = <usize>(i * LIST_ROOM) << 2;
  let columnsAt = listColumn + list;
  let costsAt = listCost + list;
  const count = getI32(listCount, i);
  const end = looked + (<usize>count << 3);
  // Least and second least of the even and the odd lanes.
  let low = f64x2.splat(f64.POSITIVE_INFINITY);
  let next = low;
  for (let out = looked; out < end; out += 64) {
    const c0 = v128.load(costsAt);
    const c1 = v128.load(costsAt, 16);
    const x0 = reducedPair(c0, columnsAt);
    const x1 = reducedPair(v128.shuffle<i64>(c0, c0, 1, 0), columnsAt + 8);
    const x2 = reducedPair(c1, columnsAt + 16);
    const x3 = reducedPair(v128.shuffle<i64>(c1, c1, 1, 0), columnsAt + 24);
    v128.store(out, x0);
    v128.store(out, x1, 16);
    v128.store(out, x2, 32);
    v128.store(out, x3, 48);
    const low01 = f64x2.pmin(x0, x1);
    const low23 = f64x2.pmin(x2, x3);
    const high = f64x2.pmin(f64x2.pmax(x0, x1), f64x2.pmax(x2, x3));
    const low4 = f64x2.pmin(low01, low23);
    const next4 = f64x2.pmin(high, f64x2.pmax(low01, low23));
    next = f64x2.pmin(f64x2.pmin(next, next4), f64x2.pmax(low, low4));
    low = f64x2.pmin(low, low4);
    columnsAt += 32;
    costsAt += 32;
  }
  const swapped = v128.shuffle<i64>(low, low, 1, 0);
  const least2 = f64x2.pmin(low, swapped);
  const later = f64x2.pmin(next, v128.shuffle<i64>(next, next, 1, 0));
  least = f64x2.extract_lane(least2, 0);
  second = f64x2.extract_lane(f64x2.pmin(f64x2.pmax(low, swapped), later), 0);
  leastPlace = least < f64.POSITIVE_INFINITY ? placeOf(least2, count) : -1;
  leastColumn = leastPlace < 0 ? -1 : getI32(listColumn + list, leastPlace);
  secondKnown = true;
}

/** Place in the list looked at last of the first entry that equals both lanes of `x`. */
// @ts-ignore: decorator
@inline
function placeOf(x: v128, count: i32): i32 {
  let result = 0;
  for (let k = 0; k < count; k += LIST_GROUP) {
    const at = looked + (<usize>k << 3);
    const found =
      i64x2.bitmask(f64x2.eq(v128.load(at), x)) |
      (i64x2.bitmask(f64x2.eq(v128.load(at, 16), x)) << 2) |
      (i64x2.bitmask(f64x2.eq(v128.load(at, 32), x)) << 4) |
      (i64x2.bitmask(f64x2.eq(v128.load(at, 48), x)) << 6);
    if (found != 0) {
      result = k + ctz(found);
      break;
    }
  }
  return result;
}

/** Cost of the edge to `leastColumn`; right after a look at row `i`. */
export function leastCostOf(i: i32): f64 {
  return leastPlace < 0 ? edge(rowAt(i), leastColumn) : costAtPlace(i, leastPlace);
}

// @ts-ignore: decorator
@inline
function costAtPlace(i: i32, place: i32): f64 {
  return <f64>load<f32>(listCost + (<usize>(i * LIST_ROOM + place) << 2));
}

/** Makes the second column `leastColumn`, if a column that attains `second` is known; right after a look at row `i`. */
export function preferSecond(i: i32): void {
  if (!secondKnown || second == f64.POSITIVE_INFINITY) return;
  if (leastPlace < 0) {
    leastColumn = secondDense;
    return;
  }
  const count = getI32(listCount, i);
  for (let k = 0; k < count; ++k) {
    if (k == leastPlace || getF64(looked, k) != second) continue;
    leastPlace = k;
    leastColumn = getI32(listColumn, i * LIST_ROOM + k);
    return;
  }
}

/** Cost of an edge of a row that has it in its list or is in the matrix. */
export function costOf(i: i32, j: i32): f64 {
  const count = getI32(listCount, i);
  for (let k = 0; k < count; ++k) if (getI32(listColumn, i * LIST_ROOM + k) == j && costAtPlace(i, k) < f64.POSITIVE_INFINITY) return costAtPlace(i, k);
  return edge(rowAt(i), j);
}

/** Sets `least` of row `i` exactly, and `second` exactly or to a lower value (then no column of it is known). */
export function topTwo(i: i32): void {
  lookAtList(i);
  if (second <= getF64(bound, i)) return;
  buildList(i);
  lookAtList(i);
  const limit = getF64(bound, i);
  // Prices are finer than f32: the list may hold its entries a rounding above the bound.
  if (least > limit) lookDense(bring(i));
  else if (second > limit) {
    second = limit;
    secondKnown = false;
  }
}

/** Least reduced cost of row `i`, exact. */
export function leastOf(i: i32): f64 {
  lookAtList(i);
  if (least <= getF64(bound, i)) return least;
  buildList(i);
  lookAtList(i);
  if (least > getF64(bound, i)) lookDense(bring(i));
  return least;
}

/** Least reduced cost of row `i` if its list proves it, else -Infinity. */
export function provenLeastOf(i: i32): f64 {
  lookAtList(i);
  return least <= getF64(bound, i) ? least : f64.NEGATIVE_INFINITY;
}

/** Whether the reduced cost `x` of an edge of row `i` is within `eps` of the least of the row. */
export function isWithin(i: i32, x: f64, eps: f64): bool {
  lookAtList(i);
  const known = min(least, getF64(bound, i));
  if (x - known <= eps) return true;
  if (least <= getF64(bound, i)) return false;
  return x - leastOf(i) <= eps;
}
