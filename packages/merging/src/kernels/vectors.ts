import { allocateNumbers } from "./block-memory.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import * as loops from "./task-vectors.ts";
import { LANES, type Numbers, sumLanes } from "./task-vectors.ts";

// Each function calls a SIMD loop on whole groups of elements if its arrays lie in the memory of SIMD loops,
// and a plain loop on the other elements. Both give the same bits.

/** Computes the differences of a network from the base. */
export function subtractInto(network: Numbers, base: Numbers, out: Numbers): void {
  const simd = out instanceof Float32Array ? simdFor(network, base, out) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(out.length);
  simd?.subtract(network.byteOffset, base.byteOffset, out.byteOffset, count);
  if (count < out.length) {
    loops.subtractInto(network.subarray(count), base.subarray(count), out.subarray(count));
  }
}

/**
 * Computes the differences of a network in bf16 from the base by a SIMD loop; returns false, without a
 * result, if the arrays do not allow that.
 */
export function subtractFromBfloat(network: Uint16Array, base: Numbers, out: Numbers): boolean {
  const simd = out instanceof Float32Array ? simdFor(network, base, out) : undefined;
  if (simd === undefined || wholeGroups(out.length) < out.length) return false;
  simd.subtractFromBfloat(network.byteOffset, base.byteOffset, out.byteOffset, out.length);
  return true;
}

/**
 * Adds changes, multiplied by a factor, to a base. Elements without a change keep the bits of the base,
 * including negative zeros. The changes may be overwritten.
 */
export function addChanges(base: Numbers, changes: Numbers, out: Numbers, factor = 1): void {
  const simd = out instanceof Float32Array ? simdFor(base, changes, out) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(out.length);
  simd?.addChanges(base.byteOffset, changes.byteOffset, factor, out.byteOffset, count);
  if (count === out.length) return;
  const rest = changes.subarray(count);
  if (factor !== 1) loops.scaleBy(rest, roundedFor(changes, factor));
  loops.addChanges(base.subarray(count), rest, out.subarray(count));
}

/** Adds products of numbers and a factor to sums; the numbers may be overwritten. */
export function addScaledTo(sums: Numbers, values: Numbers, factor: number): void {
  const simd = values instanceof Float32Array ? simdFor(sums, values) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  simd?.addScaled(sums.byteOffset, values.byteOffset, factor, count);
  if (count === values.length) return;
  const rest = values.subarray(count);
  loops.scaleBy(rest, roundedFor(values, factor));
  loops.addTo(sums.subarray(count), rest);
}

/** Sets numbers to 0 whose upper 31 random bits are not below a share in `[0, 1)` of their range. */
export function keepBelow(values: Numbers, bits: Uint32Array, share: number): void {
  const simd = values instanceof Float32Array ? simdFor(values, bits) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  const limit = Math.min(0x7fffffff, Math.round(share * 2 ** 31));
  simd?.keepBelow(values.byteOffset, bits.byteOffset, limit, count);
  if (count < values.length) loops.keepBelow(values.subarray(count), bits.subarray(count), limit);
}

/** Computes the inner product of two vectors, in f64, over 8 interleaved sums. */
export function productOf(left: Numbers, right: Numbers): number {
  const sums = allocateNumbers(true, LANES);
  const simd = left instanceof Float32Array ? simdFor(left, right, sums) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(left.length);
  simd?.product(left.byteOffset, right.byteOffset, sums.byteOffset, count);
  return sumLanes(loops.addProducts(left.subarray(count), right.subarray(count), sums));
}

/** Computes the sum of absolute values, in f64, over 8 interleaved sums. */
export function sumOfSizes(values: Numbers): number {
  const sums = allocateNumbers(true, LANES);
  const simd = values instanceof Float32Array ? simdFor(values, sums) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  simd?.sizes(values.byteOffset, sums.byteOffset, count);
  return sumLanes(loops.addSizes(values.subarray(count), sums));
}

/** Rounds a factor to the type of the numbers that it multiplies. */
export function roundedFor(values: Numbers, factor: number): number {
  return values instanceof Float64Array ? factor : Math.fround(factor);
}
