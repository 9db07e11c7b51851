// Flat loops over task vectors: differences between networks and the base they were made from. Every array of
// a call has the same length and, but for `patterns`, the same class, to which stored numbers are rounded.

/** Array of the numbers in which a tensor is merged: f64 if a network stores it in f64, otherwise f32. */
export type Numbers = Float32Array | Float64Array;

/** Computes the differences of a network from the base. */
export function subtractInto(network: Numbers, base: Numbers, out: Numbers): void {
  for (let i = 0; i < out.length; i++) out[i] = network[i]! - base[i]!;
}

/** Multiplies all numbers by a factor. */
export function scaleBy(values: Numbers, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}

/** Adds each number to the sum at the same position, in place. */
export function addTo(sums: Numbers, values: Numbers): void {
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + values[i]!;
}

/** Adds the signs of numbers to sums: 1, 0 or -1. */
export function addSignsTo(sums: Numbers, values: Numbers): void {
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + Math.sign(values[i]!);
}

/**
 * Sets numbers to 0 whose sign is not elected. The positive sign is elected if the vote is at least 0.
 * @param votes - sums that started at 0, so that none of them is a negative zero
 */
export function keepAgreeing(votes: Numbers, values: Numbers): void {
  if (votes instanceof Float32Array && values instanceof Float32Array) {
    const [signs, patterns] = [patternsOf(votes), patternsOf(values)];
    for (let i = 0; i < patterns.length; i++)
      patterns[i] = patterns[i]! & ~((signs[i]! ^ patterns[i]!) >> 31);
  } else {
    for (let i = 0; i < values.length; i++) {
      if (votes[i]! >= 0 ? values[i]! < 0 : values[i]! > 0) values[i] = 0;
    }
  }
}

/** Adds a weight to the sums of those elements whose number is not 0. */
export function addWeightOf(values: Numbers, weight: number, sums: Numbers): void {
  if (values instanceof Float32Array) {
    const patterns = patternsOf(values);
    for (let i = 0; i < patterns.length; i++) {
      // The sum overflows into the sign unless the magnitude is 0.
      const isSet = (((patterns[i]! & 0x7fffffff) + 0x7fffffff) | 0) >>> 31;
      sums[i] = sums[i]! + weight * isSet;
    }
  } else for (let i = 0; i < values.length; i++) sums[i] = sums[i]! + (values[i] === 0 ? 0 : weight);
}

/** Returns the bit patterns of f32 numbers, in the same memory. */
export function patternsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}

/** Divides numbers by divisors, or by 1 if the size of the divisor is at most `least`. */
export function divideBy(values: Numbers, divisors: Numbers, least: number): void {
  for (let i = 0; i < values.length; i++) {
    const divisor = divisors[i]!;
    values[i] = Math.abs(divisor) > least ? values[i]! / divisor : values[i]!;
  }
}

/**
 * Adds changes to a base. Elements without a change keep the bits of the base, including negative zeros. The
 * changes may be overwritten.
 */
export function addChanges(base: Numbers, changes: Numbers, out: Numbers): void {
  if (changes instanceof Float32Array) {
    const patterns = patternsOf(changes);
    // A negative zero changes no number that it is added to, whereas a positive one makes -0 positive.
    for (let i = 0; i < patterns.length; i++) {
      const isZero = ~((((patterns[i]! & 0x7fffffff) + 0x7fffffff) | 0) >> 31);
      patterns[i] = patterns[i]! | (isZero & 0x80000000);
    }
    for (let i = 0; i < out.length; i++) out[i] = base[i]! + changes[i]!;
  } else for (let i = 0; i < out.length; i++) out[i] = changes[i] === 0 ? base[i]! : base[i]! + changes[i]!;
}

/** Number of interleaved sums of {@link addSizes} and {@link addProducts}. */
export const LANES = 8;

/** Adds absolute values to 8 interleaved sums in f64. */
export function addSizes(values: Numbers, sums: Numbers): Numbers {
  for (let i = 0; i < values.length; i++) sums[i & 7] = sums[i & 7]! + Math.abs(values[i]!);
  return sums;
}

/** Adds products of two vectors to 8 interleaved sums in f64. */
export function addProducts(left: Numbers, right: Numbers, sums: Numbers): Numbers {
  for (let i = 0; i < left.length; i++) sums[i & 7] = sums[i & 7]! + left[i]! * right[i]!;
  return sums;
}

/** Adds up interleaved sums. */
export function sumLanes(sums: Numbers): number {
  let sum = 0;
  for (let i = 0; i < sums.length; i++) sum += sums[i]!;
  return sum;
}

/** Computes the largest absolute value. */
export function largestSize(values: Numbers): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}

/** Sets numbers to 0 whose upper 31 random bits are not below a limit. */
export function keepBelow(values: Numbers, bits: Uint32Array, limit: number): void {
  if (values instanceof Float32Array) {
    const patterns = patternsOf(values);
    for (let i = 0; i < patterns.length; i++) patterns[i] = patterns[i]! & (((bits[i]! >>> 1) - limit) >> 31);
  } else for (let i = 0; i < values.length; i++) values[i] = bits[i]! >>> 1 < limit ? values[i]! : 0;
}

/** Divides numbers by divisors that are raised to at least `least`. */
export function divideByAtLeast(values: Numbers, divisors: Numbers, least: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! / Math.max(divisors[i]!, least);
}
