/**
 * Brings costs into the layout of the solver: rows padded with forbidden edges, wide rather than tall.
 *
 * Costs that lie elsewhere are not copied as a whole unless most rows will be needed again. The passes over all rows fetch some at a
 * time to the stage, and a row comes into the matrix when it is needed once more: on easy matrices, and from good prices, few are.
 */
import { columns, cost, present, rowAt, rowBytes, rows, sign, stage, stagedRows, stride } from "./layout";

/** Copies rows [from, to) of the costs to an address, a row every `rowBytes`, without the padding. */
// @ts-ignore: decorator
@external("env", "fetchRows")
declare function fetchRows(from: i32, to: i32, address: usize): void;

/** Whether all rows were in the matrix from the start. */
let resident: bool = false;
/** Rows from this one on are in the matrix, once the first pass has been over them. */
let keptFrom: i32 = 0;

/** Starts a problem whose rows are all in the matrix, or all elsewhere. */
export function startMatrix(allThere: bool): void {
  resident = allThere;
  keptFrom = allThere ? 0 : rows;
  memory.fill(present, 0, <usize>rows);
  if (allThere) padRows(cost, rows);
}

/** From now on the first pass, which has come to row `from`, brings the rows it reads into the matrix. */
export function keepRowsFrom(from: i32): void {
  keptFrom = min(keptFrom, from);
}

/** Brings row `i` into the matrix, if it is not there, and returns its address. */
export function bring(i: i32): usize {
  const row = rowAt(i);
  if (i >= keptFrom || load<u8>(present + <usize>i) != 0) return row;
  fetchRows(i, i + 1, row);
  padRows(row, 1);
  store<u8>(present + <usize>i, 1);
  return row;
}

/** Address of rows [from, from + stagedRows()), as far as there are so many, for the first pass. */
export function bringFirst(from: i32): usize {
  return resident ? rowAt(from) : fetchSome(from, from < keptFrom ? stage : rowAt(from));
}

/** The same for a later pass; the next call may overwrite them. */
export function bringAgain(from: i32): usize {
  return from < keptFrom ? fetchSome(from, stage) : rowAt(from);
}

function fetchSome(from: i32, address: usize): usize {
  const to = min(from + stagedRows(), rows);
  fetchRows(from, to, address);
  padRows(address, to - from);
  return address;
}

/** Fills the padding of `count` rows from `at` on with +Infinity after `sign`. */
function padRows(at: usize, count: i32): void {
  if (stride == columns) return;
  const forbidden = sign == 0 ? f32.POSITIVE_INFINITY : f32.NEGATIVE_INFINITY;
  const end = at + <usize>count * rowBytes;
  for (let row = at; row < end; row += rowBytes) {
    for (let j = columns; j < stride; ++j) store<f32>(row + (<usize>j << 2), forbidden);
  }
}

/** Moves rows that lie close together to their padded places, from the last to the first. */
export function spreadRows(): void {
  if (stride == columns) return;
  const bytes = <usize>columns << 2;
  for (let i = rows - 1; i > 0; --i) memory.copy(rowAt(i), cost + <usize>i * bytes, bytes);
}

/** Side of the tiles of a transposition: two of them fit the first cache. */
const TILE: i32 = 32;

/** Fills the matrix with the transpose of the f32[columns, rows] matrix at `source`, whose rows lie close together. */
export function transposeFrom(source: usize): void {
  const sourceBytes = <usize>rows << 2;
  for (let i0 = 0; i0 < rows; i0 += TILE) {
    const i1 = min(i0 + TILE, rows);
    for (let j0 = 0; j0 < columns; j0 += TILE) {
      const j1 = min(j0 + TILE, columns);
      for (let i = i0; i < i1; ++i) {
        let from = source + <usize>j0 * sourceBytes + (<usize>i << 2);
        let to = rowAt(i) + (<usize>j0 << 2);
        for (let j = j0; j < j1; ++j) {
          store<i32>(to, load<i32>(from));
          from += sourceBytes;
          to += 4;
        }
      }
    }
  }
}
