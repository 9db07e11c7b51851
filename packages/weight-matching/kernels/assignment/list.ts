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
  bound,
  columns,
  edge,
  LIST_GROUP,
  LIST_ROOM,
  listColumn,
  listCost,
  listCount,
  reducedEdge,
  setF64,
  setI32,
  sign,
} from "./layout";
import { least, lookDense } from "./look";
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
