/** The order of events: first pass over the rows, auctions, searches, certificate. */
import {
  choice,
  columns,
  edge,
  getF64,
  getI32,
  owner,
  price,
  price32,
  rowAt,
  rows,
  setI32,
  setPrice,
  setSign,
  stride,
} from "./layout";
import { enqueueFreeRows, freeLooseRows, priceScale, reduceRows, resetAuction, rowWaiting, runPhases, waiting } from "./auction";
import { augment, resetSearch, wholeRows } from "./augment";
import { certify, certifyFirstPass, freeUncertified, gap, magnitude } from "./certificate";
import { augmentDense } from "./dense";
import { dropList, fillList, leastColumn, leastOf, resetLists } from "./list";
import { padRows } from "./matrix";
import { columnAt, leastOfRow, readRow } from "./row";

export const SOLVED: i32 = 0;
export const INFEASIBLE: i32 = 1;

/** Rows that may be relaxed whole, for each row of the matrix, before lists are given up: ordinary matrices need less than one. */
const WHOLE_ROWS: i32 = 4;
/** Free rows, as a share of all, from which phases pay: one in 64. */
const FEW_FREE: i32 = 64;
/** Passes and immediate bids (for each row) of the row reductions before and after the phases. */
const PASSES: i32 = 2;
const FIRST_REBIDS: i32 = 2;
const FINAL_REBIDS: i32 = 8;
/** A gap up to this share of the sum of |c| is rounding in the certificate itself. */
const TOLERANCE: f64 = 1e-14;
/** One repair was enough for every matrix seen. */
const REPAIRS: i32 = 3;

let warm: bool = false;
let useLists: bool = false;
/** Rows of the first pass that found their column taken. */
let contested: i32 = 0;
/** Where the first pass met a value that is not a cost. */
export let badRow: i32 = -1;
export let badColumn: i32 = -1;
/** Row for which the search found no free column, when solve() returns INFEASIBLE. */
export let stuckRow: i32 = -1;
/** Whether the dense search took over. */
export let dense: bool = false;

/** Starts a problem that has been laid out: no matching, prices 0. Up to `denseColumns` columns no lists are used. */
export function begin(maximize: bool, denseColumns: i32): void {
  setSign(maximize);
  memory.fill(price, 0, <usize>stride << 3);
  memory.fill(price32, 0, <usize>stride << 2);
  memory.fill(owner, 0xff, <usize>columns << 2);
  memory.fill(choice, 0xff, <usize>rows << 2);
  resetLists();
  resetAuction();
  warm = false;
  useLists = columns > denseColumns;
  dense = !useLists;
  contested = 0;
  badRow = -1;
  badColumn = -1;
}

/** Takes the f64 prices that the caller wrote; square problems only. */
export function usePrices(): void {
  warm = true;
  for (let j = 0; j < columns; ++j) setPrice(j, getF64(price, j));
}

/**
 * First pass over some rows: checks them and gives each its least column where that is free. Returns false on a value that is
 * not a cost.
 */
export function readRows(from: i32, to: i32): bool {
  padRows(from, to);
  for (let i = from; i < to; ++i) {
    const bad = readRow(rowAt(i), warm);
    if (bad >= 0) {
      badRow = i;
      badColumn = bad;
      return false;
    }
    if (warm) claimWarm(i);
    else claim(i);
  }
  return true;
}

/** At prices 0 the f32 minimum is exact. A list is built at once only where it looks as if it will be needed. */
function claim(i: i32): void {
  dropList(i);
  const least = leastOfRow();
  // Every edge of the row is forbidden: the search will say so.
  if (least == f32.POSITIVE_INFINITY) return;
  const j = columnAt(rowAt(i), least, i);
  if (getI32(owner, j) < 0) {
    setI32(owner, j, i);
    setI32(choice, i, j);
    if (contested * 8 <= i) return;
  } else {
    ++contested;
  }
  if (useLists) fillList(i);
}

function claimWarm(i: i32): void {
  fillList(i);
  leastOf(i);
  const j = leastColumn;
  if (j < 0 || getI32(owner, j) >= 0) return;
  setI32(owner, j, i);
  setI32(choice, i, j);
}

/** Solves after the first pass; SOLVED or INFEASIBLE. */
export function solve(): i32 {
  enqueueFreeRows();
  if (waiting == 0 && !warm && rows == columns) {
    certifyFirstPass();
    return SOLVED;
  }
  resetSearch();
  if (useLists) auction();
  if (!searchAll()) return INFEASIBLE;
  certify();
  for (let k = 0; k < REPAIRS && gap > TOLERANCE * magnitude; ++k) {
    if (freeUncertified() == 0) break;
    enqueueFreeRows();
    if (!searchAll()) return INFEASIBLE;
    certify();
  }
  return SOLVED;
}

/** Leaves every matched row tight, and few rows free. */
function auction(): void {
  reduceRows(PASSES, FIRST_REBIDS * rows);
  // Phases free columns whose price is below 0: where columns outnumber rows that would be wrong.
  if (rows < columns) return;
  const scale = priceScale();
  // No price was ever contested at a difference: ties, which phases only prolong.
  if (scale > 0 && waiting * FEW_FREE > rows) runPhases(scale);
  freeLooseRows(0);
  reduceRows(PASSES, FINAL_REBIDS * rows);
}

/** Shortest augmenting paths for all waiting rows; false if one has none. */
function searchAll(): bool {
  enqueueFreeRows();
  const budget = WHOLE_ROWS * rows;
  for (let k = 0; k < waiting; ++k) {
    const i = rowWaiting(k);
    if (!dense && wholeRows > budget) dense = true;
    if (!(dense ? augmentDense(i) : augment(i))) {
      stuckRow = i;
      return false;
    }
  }
  return true;
}
