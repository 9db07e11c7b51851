import { allocateData, DTYPES, type DType, fromFloat32Into, toFloat32 } from "@isthmus/core";

/**
 * Tells whether two lists of numbers are equal, NaN being equal to NaN.
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

/** Rounds numbers to what an element type can hold, so that they compare equal to what was saved in it. */
export function roundTo(values: Float32Array, dtype: DType): Float32Array {
  if (!DTYPES[dtype].float || dtype === "f32" || dtype === "f64") return values;
  const rounded = allocateData(dtype, values.length);
  fromFloat32Into(values, dtype, rounded);
  return toFloat32(rounded, dtype);
}

/** Largest relative error that rounding to an element type causes: half of the last place of its fraction. */
export function roundingOf(dtype: DType): number {
  return ROUNDING[dtype] ?? 2 ** -24;
}

const ROUNDING: Readonly<Partial<Record<DType, number>>> = {
  f8e5m2: 2 ** -3,
  f8e4m3: 2 ** -4,
  bf16: 2 ** -9,
  f16: 2 ** -12,
};

/** Tells whether all numbers of a list are the same, as a new norm's are: such a list says nothing about where it is from. */
export function isConstant(values: Float32Array): boolean {
  const [first] = values;
  return values.every((value) => value === first);
}
