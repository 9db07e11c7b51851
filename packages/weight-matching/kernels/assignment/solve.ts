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
  rowBytes,
  rowDual,
  rows,
  setF64,
  setI32,
  setPrice,
  setSign,
  stride,
} from "./layout";
import { bidTight, enqueueFreeRows, freeLooseRows, priceScale, reduceRows, resetAuction, rowWaiting, runPhases, waiting } from "./auction";
import { augment, resetSearch, wholeRows } from "./augment";
import { certify, certifyFirstPass, freeUncertified, gap, magnitude } from "./certificate";
import { augmentDense } from "./dense";
import { dropList, fillList, fillShortList, resetLists } from "./list";
import { padRows } from "./matrix";
import { columnAt, leastOfRow, readRow } from "./row";

export const SOLVED: i32 = 0;
export const INFEASIBLE: i32 = 1;

/** Rows that may be relaxed whole, for each row of the matrix, before lists are given up: ordinary matrices need less than one. */
const WHOLE_ROWS: i32 = 4;
/** Passes of bids without a margin before and after the phases: each costs at most two bids a row. */
const PASSES: i32 = 6;
/** Before the phases the passes stop when a 64th of the rows is free; so few are cheaper to search for than phases are. */
const FEW: i32 = 64;
/** After the phases they go on to a 512th, as prices are then good and the passes quick. */
const FEWER: i32 = 512;
/** A gap up to this share of the sum of |c| is rounding in the certificate itself. */
const TOLERANCE: f64 = 1e-14;
/** One repair was enough for every matrix seen. */
const REPAIRS: i32 = 3;

/** Rows from which on the first pass knows whether most columns are contested. */
const PROBE: i32 = 64;

/** Whether prices may differ from 0. */
let priced: bool = false;
let useLists: bool = false;
/** Rows of the first pass that found their column taken. */
export let contested: i32 = 0;
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
  priced = false;
  useLists = columns > denseColumns;
  dense = !useLists;
  contested = 0;
  badRow = -1;
  badColumn = -1;
}

/** Takes the f64 prices that the caller wrote; square problems only. */
export function usePrices(): void {
  priced = true;
  for (let j = 0; j < columns; ++j) setPrice(j, getF64(price, j));
}

/**
 * First pass over rows [from, to), at most `stagedRows()`, which lie from `at` on: checks them and gives each its least column where
 * that is free. Returns false on a value that is not a cost.
 *
 * As long as no two rows want the same column the matching is optimal, no list is built, and `at` need not be in the matrix. The
 * caller looks at `contested` between calls.
 */
export function readRows(from: i32, to: i32, at: usize): bool {
  padRows(at, to - from);
  const listed = useLists && contested > 0;
  // Most rows want the same few columns: their prices must move before lists are of use, so rows bid as they come.
  if (listed && from >= PROBE && contested * 2 > from) priced = true;
  let row = at;
  for (let i = from; i < to; ++i) {
    if (!check(i, row)) return false;
    if (priced) bid(i);
    else if (claim(i, row) && listed) fillList(i);
    row += rowBytes;
  }
  return true;
}

function check(i: i32, row: usize): bool {
  badColumn = readRow(row, priced);
  badRow = i;
  return badColumn < 0;
}

/** Gives row `i` its least column if that is free, at prices 0, where the f32 minimum is exact; whether its list will be needed. */
function claim(i: i32, row: usize): bool {
  dropList(i);
  const least = leastOfRow();
  // Every edge of the row is forbidden: the search will say so.
  if (least == f32.POSITIVE_INFINITY) {
    ++contested;
    return false;
  }
  const j = columnAt(row, least, i);
  if (getI32(owner, j) >= 0) {
    ++contested;
    return true;
  }
  setI32(owner, j, i);
  setI32(choice, i, j);
  setF64(rowDual, i, <f64>least);
  return contested * 8 > i;
}

/** Bids for row `i` at the present prices. Most rows keep what their first bid gives them. */
function bid(i: i32): void {
  fillShortList(i);
  bidTight(i);
}

/** Solves after the first pass; SOLVED or INFEASIBLE. `verify`: see `certify`. */
export function solve(verify: bool): i32 {
  enqueueFreeRows();
  if (contested == 0 && !priced) {
    certifyFirstPass();
    return SOLVED;
  }
  resetSearch();
  if (useLists) auction();
  if (!searchAll()) return INFEASIBLE;
  certify(verify);
  for (let k = 0; k < REPAIRS && gap > TOLERANCE * magnitude; ++k) {
    if (freeUncertified() == 0) break;
    enqueueFreeRows();
    if (!searchAll()) return INFEASIBLE;
    certify(verify);
  }
  return SOLVED;
}

/** Leaves every matched row tight, but for rounding, and few rows free. */
function auction(): void {
  reduceRows(PASSES, FEW);
  // Phases free columns whose price is below 0: where columns outnumber rows that would be wrong.
  const scale = rows == columns ? priceScale() : 0;
  // No price was ever contested at a difference: ties, which phases only prolong.
  if (scale > 0 && waiting * FEW > rows) {
    runPhases(scale);
    freeLooseRows(0);
  }
  reduceRows(PASSES, FEWER);
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
