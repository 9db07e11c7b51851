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

/** Assigns numbers by a hash table with open addressing and linear probing, at most half full. */
function intern(
  length: number,
  hash: (i: number) => number,
  equal: (i: number, j: number) => boolean,
): Interned {
  let capacity = 4;
  while (capacity < 2 * length) capacity *= 2;
  const table = new Int32Array(capacity);
  const ids = new Int32Array(length);
  const first = new Int32Array(length);
  let count = 0;
  for (let i = 0; i < length; i++) {
    let slot = hash(i) & (capacity - 1);
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
      slot = (slot + 1) & (capacity - 1);
    }
  }
  return { ids, count, first: first.slice(0, count) };
}
