import { simdFor, wholeGroups } from "./simd.ts";

// Flat loops over the bit patterns of f32 numbers. Without its sign, a pattern grows with the size of the
// number, so that sizes can be compared and counted as whole numbers.

/** Bits of an f32 pattern other than the sign. */
export const MAGNITUDE = 0x7fffffff;

/** How many low bits of a magnitude {@link countUpperBits} leaves out. */
export const LOWER_BITS = 15;

const LOWER_MASK = (1 << LOWER_BITS) - 1;

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

/** Counts magnitudes below a limit. */
export function countBelow(patterns: Int32Array, limit: number): number {
  const simd = simdFor(patterns);
  const groups = simd === undefined ? 0 : wholeGroups(patterns.length);
  let count = simd?.countBelow(patterns.byteOffset, limit, groups) ?? 0;
  for (let i = groups; i < patterns.length; i++) count += (patterns[i]! & MAGNITUDE) < limit ? 1 : 0;
  return count;
}

/** Counts the lower bits of the magnitudes at some indices. */
export function countLowerBits(
  patterns: Int32Array,
  indices: Int32Array,
  listed: number,
  counts: Uint32Array,
): void {
  for (let k = 0; k < listed; k++) counts[patterns[indices[k]!]! & LOWER_MASK]!++;
}

/** Writes the positions, and the lower bits, of magnitudes at some indices. */
export function noteListed(
  { patterns, begin }: { readonly patterns: Int32Array; readonly begin: number },
  indices: Int32Array,
  positions: Float64Array,
  lows: Uint16Array,
): void {
  for (let k = 0; k < positions.length; k++) {
    const index = indices[k]!;
    positions[k] = begin + index;
    lows[k] = patterns[index]! & LOWER_MASK;
  }
}

/** Lists the indices of magnitudes with the given upper bits; returns how many there are. */
export function listUpperBits(patterns: Int32Array, upper: number, indices: Int32Array): number {
  const simd = simdFor(patterns, indices);
  const groups = simd === undefined ? 0 : wholeGroups(patterns.length);
  let count = simd?.listUpperBits(patterns.byteOffset, upper, LOWER_BITS, indices.byteOffset, groups) ?? 0;
  for (let i = groups; i < patterns.length; i++) {
    if ((patterns[i]! & MAGNITUDE) >>> LOWER_BITS !== upper) continue;
    indices[count++] = i;
  }
  return count;
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
