/**
 * Shortest augmenting paths on candidate lists: Dijkstra's search in which the edges that a list leaves out wait in the heap as
 * one item for each row, keyed by the bound of that list. Most searches end before such an item comes up.
 *
 * All matched rows must be tight. Distances are f64.
 */
import {
  BLOCK,
  BLOCK_BYTES,
  LIST_ROOM,
  bound,
  boundStage,
  choice,
  columns,
  distance,
  fixedColumn,
  fixedDistance,
  getF64,
  getI32,
  height,
  listColumn,
  listCost,
  listCount,
  match,
  owner,
  parent,
  price,
  reducedEdge,
  reducedPaid,
  roundUp,
  setF64,
  setI32,
  setPrice,
  stamp,
} from "./layout";
import { buildList } from "./list";
import { costOf } from "./look";
import { bring } from "./matrix";
import { clearHeap, emptyHeap, heapSize, leastKey, popLeast, pushOrDecrease } from "./heap";
import { blockCount, blockMask } from "./row";

/** Nearest free column of the running search and its distance. */
let best: f64 = 0;
let bestColumn: i32 = -1;
/** Number of the running search: what `stamp` is compared with. */
let search: i32 = 0;
let fixedCount: i32 = 0;
/** Whole rows relaxed since the start of the solve: where this passes a few for each row, lists do not pay. */
export let wholeRows: i32 = 0;
/** Searches since the start of the solve. */
export let searches: i32 = 0;

export function resetSearch(): void {
  search = 0;
  searches = 0;
  wholeRows = 0;
  memory.fill(stamp, 0, <usize>columns << 2);
  clearHeap();
}

/** Finds a shortest augmenting path from the free row `start` and applies it; false if no free column can be reached. */
export function augment(start: i32): bool {
  ++search;
  ++searches;
  fixedCount = 0;
  best = f64.POSITIVE_INFINITY;
  bestColumn = -1;
  enterRow(start, 0);
  while (heapSize > 0 && leastKey() < best) {
    const key = leastKey();
    const item = popLeast();
    if (item < columns) fixColumn(item, key);
    else openRow(item - columns);
  }
  emptyHeap();
  if (bestColumn < 0) return false;
  settlePrices();
  flipPath(start);
  return true;
}

/** A row joins the tree: its listed edges are relaxed, the others wait behind its bound. */
function enterRow(i: i32, rowHeight: f64): void {
  setF64(height, i, rowHeight);
  store<u8>(boundStage + <usize>i, 0);
  relaxList(i, rowHeight);
  pushBound(i, rowHeight);
}

// @ts-ignore: decorator
@inline
function pushBound(i: i32, rowHeight: f64): void {
  const key = getF64(bound, i) - rowHeight;
  if (key < best) pushOrDecrease(columns + i, key);
}

function relaxList(i: i32, rowHeight: f64): void {
  const list = <usize>(i * LIST_ROOM) << 2;
  const end = list + (<usize>getI32(listCount, i) << 2);
  for (let at = list; at < end; at += 4) {
    const j = load<i32>(listColumn + at);
    relax(i, j, <f64>load<f32>(listCost + at) - getF64(price, j) - rowHeight);
  }
}

// @ts-ignore: decorator
@inline
function relax(i: i32, j: i32, d: f64): void {
  if (d >= best) return;
  // A column whose distance is final has distance -Infinity: rounding must not improve it again.
  if (getI32(stamp, j) == search && d >= getF64(distance, j)) return;
  setI32(stamp, j, search);
  setF64(distance, j, d);
  setI32(parent, j, i);
  if (getI32(owner, j) < 0) {
    best = d;
    bestColumn = j;
  } else {
    pushOrDecrease(j, d);
  }
}

/** The distance of an owned column is final: its owner joins the tree. */
function fixColumn(j: i32, d: f64): void {
  setI32(fixedColumn, fixedCount, j);
  setF64(fixedDistance, fixedCount, d);
  ++fixedCount;
  setF64(distance, j, f64.NEGATIVE_INFINITY);
  const i = getI32(owner, j);
  enterRow(i, reducedPaid(i) - d);
}

/** The bound of a row came up: build its list at the present prices, and if that is not enough relax the whole row. */
function openRow(i: i32): void {
  const rowHeight = getF64(height, i);
  const stage = load<u8>(boundStage + <usize>i);
  store<u8>(boundStage + <usize>i, stage + 1);
  if (stage == 0) {
    const before = getF64(bound, i);
    buildList(i);
    relaxList(i, rowHeight);
    if (getF64(bound, i) > before) {
      pushBound(i, rowHeight);
      return;
    }
  }
  relaxWhole(i, rowHeight);
}

/** Relaxes all edges of a row, free columns first so that few others remain below `best`. */
function relaxWhole(i: i32, rowHeight: f64): void {
  ++wholeRows;
  const row = bring(i);
  if (bestColumn < 0) {
    for (let j = 0; j < columns; ++j) {
      if (getI32(owner, j) < 0) relax(i, j, reducedEdge(row, j) - rowHeight);
    }
  }
  const count = blockCount();
  for (let b = 0; b < count; ++b) {
    let mask = blockMask(row, <usize>b * BLOCK_BYTES, f32x4.splat(roundUp(best + rowHeight)));
    while (mask != 0) {
      const j = b * BLOCK + ctz<u32>(mask);
      mask &= mask - 1;
      if (j < columns) relax(i, j, reducedEdge(row, j) - rowHeight);
    }
  }
}

/** Lowers the prices of the columns in the tree so that the path becomes tight. */
function settlePrices(): void {
  for (let k = 0; k < fixedCount; ++k) {
    const j = getI32(fixedColumn, k);
    setPrice(j, getF64(price, j) + (getF64(fixedDistance, k) - best));
  }
}

/** Moves every row of the path to the column through which it was left. */
function flipPath(start: i32): void {
  let j = bestColumn;
  for (;;) {
    const i = getI32(parent, j);
    const previous = getI32(choice, i);
    match(i, j, costOf(i, j));
    if (i == start) return;
    j = previous;
  }
}
