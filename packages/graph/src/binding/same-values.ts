import { allocateData, DTYPES, type DType, fromFloat32Into, toFloat32 } from "@isthmus/core";

/**
 * Checks whether two lists of numbers are equal, NaN being equal to NaN.
 *
 * @param a - `[n]`
 * @param b - `[n]`
 */
export function sameValues(a: Float32Array, b: Float32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  }
  return true;
}

/**
 * Rounds numbers to the precision of an element type, so that they compare equal to
 * numbers that were saved in it.
 */
export function roundTo(values: Float32Array, dtype: DType): Float32Array {
  if (!DTYPES[dtype].float || dtype === "f32" || dtype === "f64") return values;
  const rounded = allocateData(dtype, values.length);
  fromFloat32Into(values, dtype, rounded);
  return toFloat32(rounded, dtype);
}

/**
 * Returns the largest relative error of rounding to an element type: half of the last place of its fraction.
 */
export function roundingOf(dtype: DType): number {
  return ROUNDING.get(dtype) ?? F32_ROUNDING;
}

/** Error of rounding to f32, which is also the precision of wider types, as values are read as f32. */
const F32_ROUNDING = 2 ** -24;

/** Errors of rounding to types narrower than f32. */
const ROUNDING: ReadonlyMap<DType, number> = new Map<DType, number>([
  ["f8e5m2", 2 ** -3],
  ["f8e4m3", 2 ** -4],
  ["bf16", 2 ** -9],
  ["f16", 2 ** -12],
]);

/**
 * Checks whether all numbers of a list are equal, as in a new norm: such values do not identify their tensor.
 */
export function isConstant(values: Float32Array): boolean {
  const [first] = values;
  return values.every((value) => value === first);
}
