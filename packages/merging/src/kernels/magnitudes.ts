import { simdFor, wholeGroups } from "./simd.ts";

// Flat loops over the bit patterns of f32 numbers. Without its sign, a pattern grows with the size of the
// number, so that sizes can be compared and counted as whole numbers.

/** Bits of an f32 pattern other than the sign. */
export const MAGNITUDE = 0x7fffffff;

/** How many low bits of a magnitude {@link countUpperBits} leaves out. */
export const LOWER_BITS = 15;

const LOWER_MASK = (1 << LOWER_BITS) - 1;

/** Counts magnitudes by their upper 16 bits; returns how many are 0. */
export function countUpperBits(patterns: Int32Array, counts: Uint32Array): number {
  let zeros = 0;
  for (let i = 0; i < patterns.length; i++) {
    const magnitude = patterns[i]! & MAGNITUDE;
    counts[magnitude >>> LOWER_BITS]!++;
    zeros += magnitude === 0 ? 1 : 0;
  }
  return zeros;
}

/** Counts the lower bits of magnitudes with the given upper bits. */
export function countLowerBits(patterns: Int32Array, upper: number, counts: Uint32Array): void {
  for (let i = 0; i < patterns.length; i++) {
    const magnitude = patterns[i]! & MAGNITUDE;
    if (magnitude >>> LOWER_BITS === upper) counts[magnitude & LOWER_MASK]!++;
  }
}

/** Lists the indices of magnitudes with the given upper bits; returns how many there are. */
export function listUpperBits(patterns: Int32Array, upper: number, indices: Int32Array): number {
  let count = 0;
  for (let i = 0; i < patterns.length; i++) {
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
