import { mixHigh, mixLow } from "./hash.ts";

/** A numbering of things: `ids[i] = ids[j]` exactly if things `i` and `j` are equal. */
export interface Interned {
  /** Numbers in order of first occurrence, from 0. */
  readonly ids: Int32Array;
  /** Number of distinct things. */
  readonly count: number;
  /** Index of the first occurrence of each distinct thing, `[count]`. */
  readonly first: Int32Array;
}

/**
 * Assigns numbers to the distinct tuples `(columns[0][i], columns[1][i], ...)`.
 *
 * @param columns - arrays of `length` elements; none makes all tuples equal
 */
export function internTuples(columns: readonly Int32Array[], length: number): Interned {
  const width = columns.length;
  const hash = (i: number): number => {
    let h = 0;
    for (let c = 0; c < width; c++) h = mixLow(h, columns[c]![i]!);
    return h;
  };
  const equal = (i: number, j: number): boolean => {
    for (let c = 0; c < width; c++) if (columns[c]![i] !== columns[c]![j]) return false;
    return true;
  };
  return intern(length, hash, equal);
}

/**
 * Assigns numbers to the distinct rows of a matrix.
 *
 * @param data - `[rows, width]`, row-major
 */
export function internRows(data: Int32Array, rows: number, width: number): Interned {
  const hash = (i: number): number => {
    let h = 0;
    for (let c = i * width; c < (i + 1) * width; c++) h = mixHigh(h, data[c]!);
    return h;
  };
  const equal = (i: number, j: number): boolean => {
    for (let c = 0; c < width; c++) if (data[i * width + c] !== data[j * width + c]) return false;
    return true;
  };
  return intern(rows, hash, equal);
}

/**
 * Assigns numbers by a hash table with open addressing and linear probing, at most half full. The table
 * grows with the number of distinct things: few colours of many labels then stay in the processor's cache.
 */
function intern(
  length: number,
  hash: (i: number) => number,
  equal: (i: number, j: number) => boolean,
): Interned {
  let table = new Int32Array(256);
  const ids = new Int32Array(length);
  const first = new Int32Array(length);
  let count = 0;
  for (let i = 0; i < length; i++) {
    if (2 * count >= table.length) table = rehash(first.subarray(0, count), 2 * table.length, hash);
    const mask = table.length - 1;
    let slot = hash(i) & mask;
    for (;;) {
      const entry = table[slot]!;
      if (entry === 0) {
        first[count] = i;
        table[slot] = ++count;
        ids[i] = count - 1;
        break;
      }
      if (equal(first[entry - 1]!, i)) {
        ids[i] = entry - 1;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return { ids, count, first: first.slice(0, count) };
}

/** Builds a table of some capacity, a power of 2, for the distinct things that were found. */
function rehash(first: Int32Array, capacity: number, hash: (i: number) => number): Int32Array<ArrayBuffer> {
  const table = new Int32Array(capacity);
  for (let number = 0; number < first.length; number++) {
    let slot = hash(first[number]!) & (capacity - 1);
    while (table[slot] !== 0) slot = (slot + 1) & (capacity - 1);
    table[slot] = number + 1;
  }
  return table;
}
