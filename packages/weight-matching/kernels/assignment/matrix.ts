/** Brings the matrix into the layout of the solver: rows padded with forbidden edges, wide rather than tall. */
import { columns, cost, rowAt, rowBytes, rows, sign, stride } from "./layout";

/** +Infinity after `sign`. */
function forbidden(): f32 {
  return sign == 0 ? f32.POSITIVE_INFINITY : f32.NEGATIVE_INFINITY;
}

/** Fills the padding of `count` rows from `at` on. */
export function padRows(at: usize, count: i32): void {
  if (stride == columns) return;
  const value = forbidden();
  const end = at + <usize>count * rowBytes;
  for (let row = at; row < end; row += rowBytes) {
    for (let j = columns; j < stride; ++j) store<f32>(row + (<usize>j << 2), value);
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
