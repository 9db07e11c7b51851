/** The order of events: first pass over the rows, auctions, searches, certificate. */
import {
  choice,
  columns,
  getF64,
  getI32,
  match,
  owner,
  price,
  price32,
  rowBytes,
  rows,
  setPrice,
  setSign,
  stagedRows,
  stride,
} from "./layout";
import { bidTight, enqueueFreeRows, freeLooseRows, priceScale, reduceRows, resetAuction, rowWaiting, runPhases, waiting } from "./auction";
import { augment, resetSearch, wholeRows } from "./augment";
import { certify, certifyFirstPass, freeUncertified, gap, magnitude } from "./certificate";
import { augmentDense } from "./dense";
import { dropList, fillList, fillShortList, resetLists } from "./list";
import { bringFirst, keepRowsFrom, startMatrix } from "./matrix";
import { columnAt, leastOfRow, readRow } from "./row";

export const SOLVED: i32 = 0;
export const INFEASIBLE: i32 = 1;
export const BAD_COST: i32 = 2;

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
let contested: i32 = 0;
/** Where the first pass met a value that is not a cost. */
export let badRow: i32 = -1;
export let badColumn: i32 = -1;
/** Row for which the search found no free column, when solve() returns INFEASIBLE. */
export let stuckRow: i32 = -1;
/** Whether the dense search took over. */
export let dense: bool = false;

/**
 * Starts a problem that has been laid out: no matching, prices 0. Up to `denseColumns` columns no lists are used. `resident`: the costs
 * are in the matrix; else they are fetched as needed.
 */
export function begin(maximize: bool, denseColumns: i32, resident: bool): void {
  setSign(maximize);
  startMatrix(resident);
  memory.fill(price, 0, <usize>stride << 3);
  memory.fill(price32, 0, <usize>stride << 2);
  memory.fill(owner, 0xff, <usize>columns << 2);
  memory.fill(choice, 0xff, <usize>rows << 2);
  resetLists();
  resetAuction();
  resetSearch();
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
 * First pass over the costs: checks them and gives each row its least column where that is free. Returns false on a value that is not
 * a cost.
 */
function readAll(): bool {
  const warm = priced;
  for (let from = 0; from < rows; from += stagedRows()) {
    if (!useLists || (!warm && contested > 0)) keepRowsFrom(from);
    // Most rows want the same few columns: their prices must move before lists are of use, so rows bid as they come.
    if (useLists && from >= PROBE && contested * 2 > from) priced = true;
    if (!readRows(from, min(from + stagedRows(), rows))) return false;
  }
  return true;
}

function readRows(from: i32, to: i32): bool {
  let row = bringFirst(from);
  for (let i = from; i < to; ++i) {
    if (!check(i, row)) return false;
    if (priced) bid(i, row);
    else if (claim(i, row) && useLists) fillList(i, row);
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
  match(i, j, <f64>least);
  return contested * 8 > i;
}

/** Bids for row `i` at the present prices. Most rows keep what their first bid gives them. */
function bid(i: i32, row: usize): void {
  fillShortList(i, row);
  bidTight(i);
}

/** Solves the problem; SOLVED, INFEASIBLE or BAD_COST. `verify`: see `certify`. */
export function solve(verify: bool): i32 {
  if (!readAll()) return BAD_COST;
  enqueueFreeRows();
  if (contested == 0 && !priced) {
    certifyFirstPass();
    return SOLVED;
  }
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
