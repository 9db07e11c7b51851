import { allocatePatterns } from "./block-memory.ts";
import { MAGNITUDE } from "./magnitudes.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import type { Numbers } from "./task-vectors.ts";
import { keepBelow } from "./vectors.ts";

/** Probabilities with which elements are kept, by their rank in a row. */
export interface RankChances {
  /** Number of elements of a row. */
  readonly rowLength: number;
  /** Probability of the smallest element of a row. */
  readonly least: number;
  /** Probability of the largest element of a row. */
  readonly most: number;
}

/** Number of bits of a magnitude that one round of sorting reads; three rounds read all 31. */
const DIGIT = 11;
const BINS = 1 << DIGIT;

/** Number of low bits of a magnitude that do not decide its bin. */
const BELOW_BIN = 31 - DIGIT;

/**
 * Share of a row and number of elements: if one bin has more than their sum, the whole row is sorted instead.
 */
const [LARGE_SHARE, LARGE_COUNT] = [1 / 8, 64];

/** Decisions on elements, which replace their random bits. */
const [KEPT, DROPPED] = [0, 0xffffffff];

/** Share of the range of random bits below which {@link KEPT} is the only decision. */
const ONLY_KEPT = 2 ** -31;

/**
 * Keeps elements by chance, and sets the others to 0. The probability rises evenly from `least` to `most`
 * with the rank of an element's magnitude in its row; equal magnitudes rank in the order of their positions.
 * In rows of one element it is the mean of both.
 *
 * Random bits below `least` or above `most` decide without a rank, and for most other elements the bin of the
 * magnitude, its upper bits, limits the rank closely enough.
 * @param bits - random bits of each element, in an array that is overwritten
 */
export function dropByRank(
  values: Numbers,
  patterns: Int32Array,
  bits: Uint32Array,
  { rowLength, least, most }: RankChances,
): void {
  const { buffer, byteOffset } = allocatePatterns(rowLength);
  const bins = {
    order: new Int32Array(rowLength),
    ends: new Int32Array(BINS),
    open: new Int32Array(buffer, byteOffset, rowLength),
  };
  const step = rowLength > 1 ? (most - least) / (rowLength - 1) : 0;
  const chances = { first: rowLength > 1 ? least : (least + most) / 2, step };
  for (let begin = 0; begin < values.length; begin += rowLength) {
    const row = {
      values: values.subarray(begin, begin + rowLength),
      patterns: patterns.subarray(begin, begin + rowLength),
      bits: bits.subarray(begin, begin + rowLength),
    };
    const largest = sortIntoBins(row.patterns, bins);
    if (largest > rowLength * LARGE_SHARE + LARGE_COUNT) decideBySorting(row, chances);
    else decideByBins(row, bins, chances);
  }
  keepBelow(values, bits, ONLY_KEPT);
}

/** Probabilities of a row: of its smallest element, and their step from rank to rank. */
interface RowChances {
  readonly first: number;
  readonly step: number;
}

/** Elements of one row; decisions replace the random bits. */
interface Row {
  readonly values: Numbers;
  readonly patterns: Int32Array;
  readonly bits: Uint32Array;
}

/**
 * Indices of a row sorted by the bins of its elements, the end of each bin in that order, and the indices of
 * undecided elements.
 */
interface Bins {
  readonly order: Int32Array;
  readonly ends: Int32Array;
  readonly open: Int32Array;
}

/**
 * Sorts the indices of a row by their bins; returns the number of elements other than 0 in the largest bin.
 */
function sortIntoBins(patterns: Int32Array, { order, ends }: Bins): number {
  ends.fill(0);
  let zeros = 0;
  for (let i = 0; i < patterns.length; i++) {
    const magnitude = patterns[i]! & MAGNITUDE;
    zeros += magnitude === 0 ? 1 : 0;
    ends[magnitude >>> BELOW_BIN]!++;
  }
  let largest = ends[0]! - zeros;
  let place = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const count = ends[bin]!;
    ends[bin] = place;
    place += count;
    if (bin > 0 && count > largest) largest = count;
  }
  // The begin of each bin moves to its end, which is where the next one begins.
  for (let i = 0; i < patterns.length; i++) order[ends[(patterns[i]! & MAGNITUDE) >>> BELOW_BIN]!++] = i;
  return largest;
}

function decideByBins(row: Row, bins: Bins, { first, step }: RowChances): void {
  const { patterns, bits } = row;
  const { ends, open } = bins;
  const count = decideByBits(row, first, first + step * (patterns.length - 1), open);
  for (let k = 0; k < count; k++) {
    const index = open[k]!;
    const drawn = bits[index]!;
    const bin = (patterns[index]! & MAGNITUDE) >>> BELOW_BIN;
    const [begin, end] = [bin === 0 ? 0 : ends[bin - 1]!, ends[bin]!];
    let rank = begin;
    // Between the chances of the first and the last of its bin, an element's place in it decides.
    const isCertain = drawn < (first + step * begin) * 2 ** 32;
    if (!isCertain && drawn < (first + step * (end - 1)) * 2 ** 32)
      rank += rankInBin(patterns, bins, { index, begin, end });
    bits[index] = drawn < (first + step * rank) * 2 ** 32 ? KEPT : DROPPED;
  }
}

/**
 * Decides on elements whose random bits are below the least or above the largest probability, and on zeros,
 * for which the decision has no effect. Writes the indices of the other elements, and returns their number.
 */
function decideByBits({ values, bits }: Row, least: number, most: number, open: Int32Array): number {
  const lowest = Math.min(Math.ceil(least * 2 ** 32), 2 ** 32 - 1);
  // The largest chance is 1 at most, but its sum may be rounded beyond it.
  const highest = Math.min(Math.max(0, Math.ceil(most * 2 ** 32) - 1), 2 ** 32 - 1);
  const simd = values instanceof Float32Array ? simdFor(values, bits, open) : undefined;
  const groups = simd === undefined ? 0 : wholeGroups(values.length);
  let count =
    simd?.decideByBits(values.byteOffset, bits.byteOffset, lowest, highest, open.byteOffset, groups) ?? 0;
  for (let i = groups; i < values.length; i++) {
    const drawn = bits[i]!;
    if (drawn < lowest || values[i] === 0) bits[i] = KEPT;
    else if (drawn > highest) bits[i] = DROPPED;
    else open[count++] = i;
  }
  return count;
}

/** Returns the rank of an element within its bin. */
function rankInBin(
  patterns: Int32Array,
  { order }: Bins,
  { index, begin, end }: { readonly index: number; readonly begin: number; readonly end: number },
): number {
  const magnitude = patterns[index]! & MAGNITUDE;
  let rank = 0;
  for (let place = begin; place < end; place++) {
    const other = patterns[order[place]!]! & MAGNITUDE;
    if (other < magnitude || (other === magnitude && order[place]! < index)) rank++;
  }
  return rank;
}

/** Decides on the elements of a row in the order of their magnitudes. */
function decideBySorting({ patterns, bits }: Row, { first, step }: RowChances): void {
  const order = new Int32Array(patterns.length);
  sortRow(patterns, order, new Int32Array(patterns.length));
  for (let rank = 0; rank < order.length; rank++) {
    const i = order[rank]!;
    bits[i] = bits[i]! >= (first + step * rank) * 2 ** 32 ? DROPPED : KEPT;
  }
}

/** Sorts the indices of a row by magnitude, with a counting sort of digits from the lowest. */
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
