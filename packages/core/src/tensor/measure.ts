import { toFloat64 } from "./convert.ts";
import { DTYPES } from "./dtype.ts";
import { assertElements, type Elements } from "./elements.ts";
import { dotNumbers, findNonFiniteNumber } from "./kernels/f64-loops.ts";
import { floatKernels } from "./kernels/float-kernels.ts";
import { asFloats } from "./kernels/floats.ts";

/**
 * Computes the scalar product of two arrays of stored elements
 * of equal length, added in f64; 0 if they are empty.
 * @throws OutOfRangeError if lengths differ.
 * @throws UsageError if an array is not the class of its element type.
 */
export function dot(a: Elements, b: Elements): number {
  assertElements("multiply", [a, b]);
  const left = asFloats(a);
  const right = a === b ? left : asFloats(b);
  if (left && right) return floatKernels().dot(left, right);
  const x = numbersOf(a);
  const y = a.data === b.data && a.dtype === b.dtype ? x : numbersOf(b);
  return dotNumbers(x, y);
}

/**
 * Computes the scalar product of two arrays of one class and of equal length, as {@link dot} adds it.
 * @throws OutOfRangeError if lengths differ.
 */
export function innerProduct<T extends Float32Array | Float64Array>(a: T, b: T): number {
  const dtype = a instanceof Float32Array ? "f32" : "f64";
  return dot({ dtype, data: a }, { dtype, data: b });
}

/** Returns f64 elements without a copy, and other elements converted to f64. */
function numbersOf({ data, dtype }: Elements): Float64Array {
  return dtype === "f64" && data instanceof Float64Array ? data : toFloat64(data, dtype);
}

/**
 * Computes the sum of the squares of stored elements, added in f64; 0 if there are none.
 * @throws UsageError if the array is not the class of its element type.
 */
export function squaredNorm(elements: Elements): number {
  return dot(elements, elements);
}

/**
 * Finds the index of the first NaN or infinity among stored elements, or -1; integers have none.
 * @throws UsageError if the array is not the class of its element type.
 */
export function findNonFinite(elements: Elements): number {
  assertElements("scan", [elements]);
  const floats = asFloats(elements);
  if (floats !== undefined) return floatKernels().findNonFinite(floats);
  const { data, dtype } = elements;
  return DTYPES[dtype].float && data instanceof Float64Array ? findNonFiniteNumber(data) : -1;
}
