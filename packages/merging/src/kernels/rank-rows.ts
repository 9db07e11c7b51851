import { MAGNITUDE } from "./magnitudes.ts";
import type { Numbers } from "./task-vectors.ts";

/** How likely elements are kept by their rank in a row. */
export interface RankChances {
  /** Elements of a row. */
  readonly rowLength: number;
  /** Probability of the smallest element of a row. */
  readonly least: number;
  /** Probability of the largest element of a row. */
  readonly most: number;
}

/** Bits of a magnitude that one round of sorting looks at; three rounds see all 31. */
const DIGIT = 11;
const BINS = 1 << DIGIT;

/**
 * Sets elements to 0 by chance: probabilities go evenly from `least` to `most` with the rank of an element's
 * magnitude in its row, equal ones in the order of their positions. In rows of one element it is their mean.
 */
export function dropByRank(
  values: Numbers,
  patterns: Int32Array,
  bits: Uint32Array,
  { rowLength, least, most }: RankChances,
): void {
  const order = new Int32Array(rowLength);
  const other = new Int32Array(rowLength);
  const step = rowLength > 1 ? (most - least) / (rowLength - 1) : 0;
  const first = rowLength > 1 ? least : (least + most) / 2;
  for (let begin = 0; begin < values.length; begin += rowLength) {
    sortRow(patterns.subarray(begin, begin + rowLength), order, other);
    for (let rank = 0; rank < rowLength; rank++) {
      const i = begin + order[rank]!;
      if (bits[i]! >= (first + step * rank) * 2 ** 32) values[i] = 0;
    }
  }
}

/** Writes the indices of a row in the order of its magnitudes, by counting their digits from the lowest. */
function sortRow(row: Int32Array, order: Int32Array, other: Int32Array): void {
  const counts = new Int32Array(3 * BINS);
  for (let i = 0; i < row.length; i++) {
    const magnitude = row[i]! & MAGNITUDE;
    counts[magnitude & (BINS - 1)]!++;
    counts[BINS + ((magnitude >>> DIGIT) & (BINS - 1))]!++;
    counts[2 * BINS + (magnitude >>> (2 * DIGIT))]!++;
    order[i] = i;
  }
  let [from, to] = [order, other];
  for (let digit = 0; digit < 3; digit++) {
    const places = counts.subarray(digit * BINS, (digit + 1) * BINS);
    let place = 0;
    for (let bin = 0; bin < BINS; bin++) {
      const count = places[bin]!;
      places[bin] = place;
      place += count;
    }
    const shift = digit * DIGIT;
    for (let k = 0; k < row.length; k++) {
      const index = from[k]!;
      to[places[((row[index]! & MAGNITUDE) >>> shift) & (BINS - 1)]!++] = index;
    }
    [from, to] = [to, from];
  }
  // Three rounds end in the other array.
  order.set(from);
}
