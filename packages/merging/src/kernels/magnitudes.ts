import { simdFor, wholeGroups } from "./simd.ts";

// Flat loops over the bit patterns of f32 numbers. Without its sign, a pattern grows with the size of the
// number, so that sizes can be compared and counted as whole numbers.

/** Bits of an f32 pattern other than the sign. */
export const MAGNITUDE = 0x7fffffff;

/** How many low bits of a magnitude {@link countUpperBits} leaves out. */
export const LOWER_BITS = 15;

/**
 * Counts magnitudes by their upper 16 bits; returns how many are 0. Neighbours are counted apart, as a
 * processor waits where it adds to the same count again and again: the counts are sums of both arrays.
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

/** Magnitudes that are at least `least`, by less than `span`. */
export interface MagnitudeWindow {
  readonly least: number;
  readonly span: number;
}

/**
 * Lists the indices of magnitudes in a window; returns how many they are, and how many magnitudes are below
 * it.
 */
export function listMagnitudes(
  patterns: Int32Array,
  { least, span }: MagnitudeWindow,
  indices: Int32Array,
): readonly [listed: number, below: number] {
  const simd = simdFor(patterns, indices);
  const groups = simd === undefined ? 0 : wholeGroups(patterns.length);
  const both = simd?.listMagnitudes(patterns.byteOffset, least, span, indices.byteOffset, groups) ?? 0n;
  let listed = Number(both & 0xffffffffn);
  let below = Number(both >> 32n);
  for (let i = groups; i < patterns.length; i++) {
    const distance = (patterns[i]! & MAGNITUDE) - least;
    if (distance < 0) below++;
    else if (distance < span) indices[listed++] = i;
  }
  return [listed, below];
}

/** Counts, at their distances from `least`, the magnitudes at some indices. */
export function countListed(
  patterns: Int32Array,
  indices: Int32Array,
  least: number,
  counts: Uint32Array,
): void {
  for (let k = 0; k < indices.length; k++) counts[(patterns[indices[k]!]! & MAGNITUDE) - least]!++;
}

/** Writes the positions of the elements at some indices of a block, and their distances from `least`. */
export function noteListed(
  {
    patterns,
    begin,
    least,
  }: { readonly patterns: Int32Array; readonly begin: number; readonly least: number },
  indices: Int32Array,
  positions: Float64Array,
  distances: Int32Array,
): void {
  for (let k = 0; k < positions.length; k++) {
    const index = indices[k]!;
    positions[k] = begin + index;
    distances[k] = (patterns[index]! & MAGNITUDE) - least;
  }
}

/** Adds up counts. */
export function sumOfCounts(counts: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
}

/** Adds counts to others. */
export function addCounts(sums: Uint32Array, counts: Uint32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + counts[i]!;
}

/** Finds which of some counts is the largest; of equal ones the first. */
export function largestCount(counts: Uint32Array): number {
  let largest = 0;
  for (let i = 1; i < counts.length; i++) if (counts[i]! > counts[largest]!) largest = i;
  return largest;
}

/**
 * Finds at which of some counts their sum reaches a number, from the first on or from the last, and what is
 * left of the number before it; -1 if it is above the sum of all.
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
 * Finds the index of the `count`-th element of a magnitude, from `from` on; if there are fewer, returns minus
 * their number minus 1.
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
 * Sets numbers to 0 whose magnitudes are not in `[least, below)`, without branches, as a processor cannot
 * predict them.
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
