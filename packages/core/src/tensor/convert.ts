import { DTYPES, type DType, type TensorData } from "./dtype.ts";
import { assertElements, type Elements, isBig } from "./elements.ts";
import { roundToOdd } from "./kernels/float-bits.ts";
import { floatKernels } from "./kernels/float-kernels.ts";
import { asFloats, type Floats } from "./kernels/floats.ts";
import { bigsToNumbers, roundToIntegers } from "./kernels/integers.ts";
import { allocateData } from "./tensor.ts";

/**
 * Number of elements that are converted through f64 at a time; small, so that scratch memory stays in the
 * cache.
 */
const BLOCK = 4096;

/**
 * Converts stored elements to a new f32 array, rounding once to nearest even if f32 cannot represent the
 * value.
 *
 * Integers and `bool` (0 or 1) convert by value.
 * @throws UsageError if `data` is not the array class of `dtype`.
 */
export function toFloat32(data: TensorData, dtype: DType): Float32Array {
  const out = new Float32Array(data.length);
  toFloat32Into(data, dtype, out);
  return out;
}

/**
 * Returns stored elements as f32: shares memory with `data` if they are f32 already, else converts them.
 * @throws UsageError if `data` is not the array class of `dtype`.
 */
export function asFloat32(data: TensorData, dtype: DType): Float32Array {
  return dtype === "f32" && data instanceof Float32Array ? data : toFloat32(data, dtype);
}

/**
 * Converts stored elements to f32 into `out`, of the same length, as {@link toFloat32} does.
 * @throws UsageError if `data` is not the array class of `dtype`.
 * @throws OutOfRangeError if lengths differ.
 */
export function toFloat32Into(data: TensorData, dtype: DType, out: Float32Array): Float32Array {
  convertInto({ data, dtype }, { data: out, dtype: "f32" });
  return out;
}

/**
 * Converts stored elements to a new f64 array: exact except for 64-bit integers beyond 2^53, which are
 * rounded to nearest even.
 * @throws UsageError if `data` is not the array class of `dtype`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toFloat64 } from "@isthmus/core";
 *
 * assert.deepEqual(toFloat64(Uint16Array.of(0x3f80, 0xc000), "bf16"), Float64Array.of(1, -2));
 * ```
 */
export function toFloat64(data: TensorData, dtype: DType): Float64Array {
  const out = new Float64Array(data.length);
  convertInto({ data, dtype }, { data: out, dtype: "f64" });
  return out;
}

/**
 * Rounds f32 numbers to stored elements of `dtype` in `out`, of the same length, as {@link convertInto} does.
 * @throws UsageError if `out` is not the array class of `dtype`.
 * @throws OutOfRangeError if lengths differ.
 */
export function fromFloat32Into(source: Float32Array, dtype: DType, out: TensorData): TensorData {
  convertInto({ data: source, dtype: "f32" }, { data: out, dtype });
  return out;
}

/**
 * Rounds f64 numbers to stored elements of `dtype` in `out`, of the same length, as {@link convertInto} does.
 * @throws UsageError if `out` is not the array class of `dtype`.
 * @throws OutOfRangeError if lengths differ.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fromFloat64Into } from "@isthmus/core";
 *
 * const rounded = new Uint16Array(2);
 * fromFloat64Into(Float64Array.of(1, -2.001), "bf16", rounded);
 * assert.deepEqual(rounded, Uint16Array.of(0x3f80, 0xc000)); // 1 and -2
 * ```
 */
export function fromFloat64Into(source: Float64Array, dtype: DType, out: TensorData): TensorData {
  convertInto({ data: source, dtype: "f64" }, { data: out, dtype });
  return out;
}

/**
 * Converts stored elements to a new array of another element type; rounds as {@link convertInto} does.
 * @throws UsageError if `data` is not the array class of `dtype`.
 */
export function convertData(data: TensorData, dtype: DType, outDType: DType): TensorData {
  const out = allocateData(outDType, data.length);
  convertInto({ data, dtype }, { data: out, dtype: outDType });
  return out;
}

/**
 * Converts stored elements into `out`, which has the same length and does not overlap `source`.
 *
 * Every conversion rounds once, to nearest even. Floats that overflow become infinity, in f8e4m3 (which has
 * none) the largest number. In an integer type, numbers beyond its range become the nearest end of the range
 * and NaN becomes 0; in `bool`, everything but 0 becomes 1. Between equal types, and from a narrow float to
 * f32 and back, all bits are preserved, including NaN payloads.
 * @throws UsageError if an array is not the class of its element type.
 * @throws OutOfRangeError if lengths differ.
 */
export function convertInto(source: Elements, out: Elements): void {
  assertElements("convert", [source, out]);
  if (source.dtype === out.dtype) copyInto(source.data, out.data);
  else if (!convertThroughF32(source, out) && !convertBig(source, out)) convertThroughF64(source, out);
}

function copyInto(source: TensorData, out: TensorData): void {
  const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
}

/** Converts among f32 and narrower floats; f32 holds them all exactly, so going through it rounds once. */
function convertThroughF32(source: Elements, out: Elements): boolean {
  const from = asFloats(source);
  const to = asFloats(out);
  if (from === undefined || to === undefined) return false;
  floatKernels().convert(from, to);
  return true;
}

/** Converts between the two 64-bit integer types, which f64 would round. */
function convertBig({ data }: Elements, out: Elements): boolean {
  if (!isBig(data) || !isBig(out.data)) return false;
  const [low, high] = integerRange(out.dtype);
  for (const [i, x] of data.entries()) {
    out.data[i] = x;
    // Assigning keeps the low 64 bits, which are x only within the range.
    if (x < low) out.data[i] = low;
    if (x > high) out.data[i] = high;
  }
  return true;
}

function convertThroughF64(source: Elements, out: Elements): void {
  const scratch = new Float64Array(Math.min(BLOCK, source.data.length));
  for (let begin = 0; begin < source.data.length; begin += BLOCK) {
    const end = Math.min(begin + BLOCK, source.data.length);
    const numbers = scratch.subarray(0, end - begin);
    loadNumbers(
      { dtype: source.dtype, data: source.data.subarray(begin, end) },
      numbers,
      DTYPES[out.dtype].float && out.dtype !== "f64",
    );
    storeNumbers(numbers, { dtype: out.dtype, data: out.data.subarray(begin, end) });
  }
}

/** Loads elements as f64; `toOdd` prepares 64-bit integers for a second rounding. */
function loadNumbers(source: Elements, out: Float64Array, toOdd: boolean): void {
  const { data } = source;
  const floats = asFloats(source);
  if (floats !== undefined) out.set(widened(floats));
  else if (isBig(data)) bigsToNumbers(data, out, toOdd);
  else out.set(data);
}

function widened(source: Floats): Float32Array {
  if (source.data instanceof Float32Array) return source.data;
  const wide = new Float32Array(source.data.length);
  floatKernels().convert(source, { dtype: "f32", data: wide });
  return wide;
}

function storeNumbers(numbers: Float64Array, out: Elements): void {
  const { data, dtype } = out;
  const floats = asFloats(out);
  if (data instanceof Float64Array || data instanceof Float32Array) data.set(numbers);
  else if (floats !== undefined) {
    const wide = new Float32Array(numbers.length);
    roundToOdd(numbers, wide);
    floatKernels().convert({ dtype: "f32", data: wide }, floats);
  } else if (dtype === "bool" && data instanceof Uint8Array) data.set(numbers.map((x) => (x === 0 ? 0 : 1)));
  else roundToIntegers(numbers, data, integerRange(dtype));
}

/** Returns the smallest and the largest value of an integer type. */
function integerRange(dtype: DType): readonly [bigint, bigint] {
  const bits = BigInt(DTYPES[dtype].bytes * 8);
  return dtype.startsWith("u") ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}
