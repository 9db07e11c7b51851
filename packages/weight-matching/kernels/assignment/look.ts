/** Looks at one row: the least and second least reduced cost of its list, or of all its columns. */
import {
  columns,
  edge,
  getF64,
  getI32,
  LIST_GROUP,
  LIST_ROOM,
  listColumn,
  listCost,
  listCount,
  price,
  reducedEdge,
  rowAt,
} from "./layout";

/** Result of the last look at a row: least and second least reduced cost, and the column of the least (-1: none is allowed). */
export let least: f64 = 0;
export let leastColumn: i32 = -1;
export let second: f64 = 0;
/** Place of the least in the list, or -1 after a look at the whole row, which notes the second column instead. */
let leastPlace: i32 = -1;
let secondDense: i32 = -1;
/** Whether `second` is attained by a known column, rather than a bound. */
let secondKnown: bool = false;

/** Sets `least` and `second` from the whole row, in f64. */
export function lookDense(row: usize): void {
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
export function lookAtList(i: i32): void {
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

/** Replaces `second`, which the list does not prove, by a lower bound: no column is known to attain it. */
export function lowerSecond(limit: f64): void {
  second = limit;
  secondKnown = false;
}
