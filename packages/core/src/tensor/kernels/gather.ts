/** Typed arrays whose elements {@link gatherInto} moves. */
export type GatherArray = Float32Array | Int32Array | Uint16Array | Uint8Array;

/**
 * Copies a rectangular selection: `out[i0, i1, ...] = data[t0[i0] + t1[i1] + ...]`, row-major over the
 * lengths of the tables.
 *
 * With tables of multiples of a stride it transposes and broadcasts (stride 0); with other tables it selects,
 * repeats and permutes.
 *
 * @param tables - offsets into `data` for each index of each axis of the result, outermost first
 * @param out - output with as many elements as the product of the tables' lengths
 */
export function gatherInto<T extends GatherArray>(data: T, tables: readonly Int32Array[], out: T): T {
  const rank = tables.length;
  if (out.length === 0) return out;
  if (rank === 0) {
    out[0] = data[0]!;
    return out;
  }
  const inner = tables[rank - 1]!;
  const contiguous = isRun(inner);
  const step = isSpread(inner) ? TILE : inner.length;
  for (let from = 0; from < inner.length; from += step) {
    gatherColumns(data, tables, out, { from, to: Math.min(from + step, inner.length), contiguous });
  }
  return out;
}

/**
 * Number of indices of a spread last axis that are copied for all other indices before the next ones, so that
 * the cache lines they touch are still cached for the next index of the axis before. Transposing [4096, 9216]
 * takes 4.8 ns an element instead of 11.8, as with any tile from 64 to 256. If rows are only permuted within
 * themselves, tiles are not used: they would read each row once per tile.
 */
const TILE = 128;

/** Indices of the last axis to copy, and whether they are adjacent in the source. */
interface Columns {
  readonly from: number;
  readonly to: number;
  readonly contiguous: boolean;
}

function gatherColumns<T extends GatherArray>(
  data: T,
  tables: readonly Int32Array[],
  out: T,
  { from: first, to: end, contiguous }: Columns,
): void {
  const rank = tables.length;
  const inner = tables[rank - 1]!;
  const length = inner.length;
  const start = inner[first]!;
  const position = new Int32Array(rank);
  let base = 0;
  for (let axis = 0; axis < rank - 1; axis++) base += tables[axis]![0]!;
  for (let at = first; ; at += length) {
    if (contiguous) out.set(data.subarray(base + start, base + start + length), at);
    else for (let i = first, to = at; i < end; i++) out[to++] = data[base + inner[i]!]!;
    let axis = rank - 2;
    for (; axis >= 0; axis--) {
      const table = tables[axis]!;
      const from = position[axis]!;
      if (from + 1 < table.length) {
        position[axis] = from + 1;
        base += table[from + 1]! - table[from]!;
        break;
      }
      position[axis] = 0;
      base += table[0]! - table[from]!;
    }
    if (axis < 0) return;
  }
}

/** Number of elements for which single copies cost about as much as starting a block copy. */
const MIN_RUN = 16;

function isRun(table: Int32Array): boolean {
  if (table.length < MIN_RUN) return false;
  for (let i = 1; i < table.length; i++) {
    if (table[i]! !== table[i - 1]! + 1) return false;
  }
  return true;
}

/** Number of elements in a cache line of 64 bytes, for elements of 4 bytes. */
const LINE = 16;

/** Checks whether on average every element lies on a different cache line, as in a transposition. */
function isSpread(table: Int32Array): boolean {
  let [least, most] = [table[0]!, table[0]!];
  for (const offset of table) {
    if (offset < least) least = offset;
    if (offset > most) most = offset;
  }
  return most - least >= LINE * (table.length - 1);
}

/** Returns the offsets of an axis: `count` multiples of `stride`. */
export function strideTable(count: number, stride: number): Int32Array {
  const table = new Int32Array(count);
  for (let i = 0, offset = 0; i < count; i++, offset += stride) table[i] = offset;
  return table;
}
