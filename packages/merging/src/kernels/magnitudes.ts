import { allocatePatterns } from "./block-memory.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import { DIFFERENCES, kindOf, type StoredFloats } from "./stored-floats.ts";

// Flat loops over the bit patterns of f32 numbers. Without its sign, a pattern grows with the size of the
// number, so that sizes can be compared and counted as whole numbers.

/** Bits of an f32 pattern other than the sign. */
export const MAGNITUDE = 0x7fffffff;

/** Number of low bits of a magnitude that {@link countUpperBits} ignores. */
export const LOWER_BITS = 15;

/**
 * Counts magnitudes by their upper 16 bits; returns the number of zeros. The counts are the sums of `even`
 * and `odd`: neighbours are counted in different arrays, because a processor waits if it adds to the same
 * count repeatedly.
 */
export function countUpperBits(patterns: Int32Array, even: Uint32Array, odd: Uint32Array): number {
  let zeros = 0;
  const pairs = patterns.length - (patterns.length % 2);
  for (let i = 0; i < pairs; i += 2) {
    const first = patterns[i]! & MAGNITUDE;
    const second = patterns[i + 1]! & MAGNITUDE;
    even[first >>> LOWER_BITS]!++;
    odd[second >>> LOWER_BITS]!++;
    zeros += (first === 0 ? 1 : 0) + (second === 0 ? 1 : 0);
  }
  if (pairs === patterns.length) return zeros;
  const last = patterns[pairs]! & MAGNITUDE;
  even[last >>> LOWER_BITS]!++;
  return zeros + (last === 0 ? 1 : 0);
}

/** Window of the magnitudes in `[least, least + span)`. */
export interface MagnitudeWindow {
  /** Smallest magnitude of the window, as the bit pattern of an f32 without its sign. */
  readonly least: number;
  /** Number of magnitudes of the window, up to 2^31. */
  readonly span: number;
}

/**
 * Numbers whose magnitudes are examined: patterns of f32, or differences between stored elements of a network
 * and its base.
 */
export interface Measured {
  /** Number of elements that are examined. */
  readonly length: number;
  /** Returns the stored elements that SIMD loops subtract; undefined if the loops must read the patterns. */
  readonly stored: (() => StoredPair) | undefined;
  /** Returns the bit patterns of the elements, rounded to f32. */
  patterns(): Int32Array;
}

/** Makes measured numbers from their patterns alone. */
export function measuredPatterns(patterns: Int32Array): Measured {
  return { length: patterns.length, stored: undefined, patterns: () => patterns };
}

/** Elements of a network and of its base. */
interface StoredPair {
  readonly network: StoredFloats;
  readonly base: StoredFloats;
}

/** Arrays to which {@link listMagnitudes} writes, as long as the numbers. */
export interface ListedMagnitudes {
  /** Indices of the numbers whose magnitudes are in the window. */
  readonly indices: Int32Array;
  /** Difference of each magnitude from the least of the window. */
  readonly excesses: Int32Array;
}

/**
 * Lists the indices of numbers whose magnitudes are in a window; returns the number of these, and the number
 * of magnitudes below the window.
 */
export function listMagnitudes(
  measured: Measured,
  window: MagnitudeWindow,
  out: ListedMagnitudes,
): readonly [listed: number, below: number] {
  const { least, span } = window;
  const both = listBySimd(measured, window, out);
  if (both !== undefined) return [Number(both & 0xffffffffn), Number(both >> 32n)];
  const patterns = measured.patterns();
  const { indices, excesses } = out;
  let [listed, below] = [0, 0];
  for (let i = 0; i < patterns.length; i++) {
    const excess = (patterns[i]! & MAGNITUDE) - least;
    if (excess < 0) below++;
    else if (excess < span) {
      indices[listed] = i;
      excesses[listed++] = excess;
    }
  }
  return [listed, below];
}

function listBySimd(
  { length, stored, patterns }: Measured,
  { least, span }: MagnitudeWindow,
  { indices, excesses }: ListedMagnitudes,
): bigint | undefined {
  if (wholeGroups(length) < length || simdFor(indices, excesses) === undefined) return undefined;
  const pair = stored?.();
  const numbers = pair?.network ?? patterns();
  const base = pair?.base ?? numbers;
  const scratch = allocatePatterns(8);
  const kind = pair === undefined ? DIFFERENCES : kindOf(pair.network);
  const from = [numbers.byteOffset, kind, base.byteOffset, kindOf(base)] as const;
  const to = [indices.byteOffset, excesses.byteOffset, scratch.byteOffset] as const;
  const simd = simdFor(indices, excesses, numbers, base, scratch);
  return simd?.listMagnitudes(...from, least, span, ...to, length);
}

/** Adds 1 to the counts at some places. */
export function countAt(places: Int32Array, counts: Uint32Array): void {
  for (let k = 0; k < places.length; k++) counts[places[k]!]!++;
}

/** Converts indices in a block to positions, for a block that begins at the position `begin`. */
export function addBegin(indices: Int32Array, begin: number, positions: Float64Array): void {
  for (let k = 0; k < positions.length; k++) positions[k] = begin + indices[k]!;
}

/**
 * Finds the place of the `count`-th occurrence of a number. If there are only n < count occurrences, returns
 * -n - 1.
 */
export function findOccurrence(numbers: Int32Array, number: number, count: number): number {
  let seen = 0;
  for (let k = 0; k < numbers.length; k++) {
    if (numbers[k] !== number) continue;
    seen++;
    if (seen === count) return k;
  }
  return -seen - 1;
}

/** Adds up counts. */
export function sumOfCounts(counts: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
}

/** Adds counts to sums, element by element. */
export function addCounts(sums: Uint32Array, counts: Uint32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + counts[i]!;
}

/** Finds the index of the largest count; the first one of equal counts. */
export function largestCount(counts: Uint32Array): number {
  let largest = 0;
  for (let i = 1; i < counts.length; i++) if (counts[i]! > counts[largest]!) largest = i;
  return largest;
}

/**
 * Finds the index at which the running sum of counts, from the first or from the last, reaches a number, and
 * the remainder of the number before that index. The index is -1 if the number exceeds the sum of all counts.
 */
export function findCount(
  counts: Uint32Array,
  number: number,
  from: "first" | "last",
): readonly [index: number, rest: number] {
  let rest = number;
  for (let k = 0; k < counts.length; k++) {
    const index = from === "first" ? k : counts.length - 1 - k;
    if (counts[index]! >= rest) return [index, rest];
    rest -= counts[index]!;
  }
  return [-1, rest];
}

/**
 * Finds the index of the `count`-th element with a given magnitude, from `from` on. If there are only n <
 * count, returns -n - 1.
 */
export function findMagnitude(patterns: Int32Array, magnitude: number, from: number, count: number): number {
  let seen = 0;
  for (let i = from; i < patterns.length; i++) {
    if ((patterns[i]! & MAGNITUDE) !== magnitude) continue;
    seen++;
    if (seen === count) return i;
  }
  return -seen - 1;
}

/**
 * Sets numbers to 0 whose magnitudes are not in `[least, below)`, without branches, because a processor could
 * not predict them.
 * @param values - f64 numbers, or the bit patterns of f32 numbers
 */
export function keepMagnitudes(
  values: Float64Array | Int32Array,
  patterns: Int32Array,
  least: number,
  below: number,
): void {
  const simd = values instanceof Int32Array ? simdFor(values, patterns) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  simd?.keepMagnitudes(values.byteOffset, patterns.byteOffset, least, below, count);
  if (values instanceof Int32Array) {
    for (let i = count; i < values.length; i++) {
      const magnitude = patterns[i]! & MAGNITUDE;
      values[i] = values[i]! & ((least - 1 - magnitude) >> 31) & ((magnitude - below) >> 31);
    }
  } else {
    for (let i = 0; i < values.length; i++) {
      const magnitude = patterns[i]! & MAGNITUDE;
      values[i] = magnitude >= least && magnitude < below ? values[i]! : 0;
    }
  }
}
