import { DTYPES, type DType, type TensorData } from "./dtype.ts";
import { assertElements, type Elements, isBig } from "./elements.ts";
import { roundToOdd } from "./kernels/float-bits.ts";
import { floatKernels } from "./kernels/float-kernels.ts";
import { asFloats, type Floats } from "./kernels/floats.ts";
import { allocateData } from "./tensor.ts";

/** Numbers converted through f64 at a time; keeps scratch memory small and in cache. */
const BLOCK = 4096;

const BIG_EXACT = 2n ** 53n;

/**
 * Converts stored elements to f32, rounding once to nearest even where f32 cannot hold the value; a copy.
 *
 * Integers and `bool` (0 or 1) convert by value.
 * @throws TypeError if `data` is not the array class of `dtype`.
 */
export function toFloat32(data: TensorData, dtype: DType): Float32Array {
  const out = new Float32Array(data.length);
  toFloat32Into(data, dtype, out);
  return out;
}

/**
 * Views stored elements as f32: shares memory with `data` when they are f32 already, else converts.
 * @throws TypeError if `data` is not the array class of `dtype`.
 */
export function asFloat32(data: TensorData, dtype: DType): Float32Array {
  return dtype === "f32" && data instanceof Float32Array ? data : toFloat32(data, dtype);
}

/**
 * Converts stored elements to f32 into `out`, of the same length, as {@link toFloat32} does.
 * @throws TypeError if `data` is not the array class of `dtype`.
 * @throws RangeError if lengths differ.
 */
export function toFloat32Into(data: TensorData, dtype: DType, out: Float32Array): Float32Array {
  convertInto({ data, dtype }, { data: out, dtype: "f32" });
  return out;
}

/**
 * Converts stored elements to f64: exact for everything but 64-bit integers beyond 2^53, which are rounded
 * to nearest even; a copy.
 * @throws TypeError if `data` is not the array class of `dtype`.
 */
export function toFloat64(data: TensorData, dtype: DType): Float64Array {
  const out = new Float64Array(data.length);
  convertInto({ data, dtype }, { data: out, dtype: "f64" });
  return out;
}

/**
 * Rounds f32 numbers to stored elements of `dtype` in `out`, of the same length, as {@link convertInto} does.
 * @throws TypeError if `out` is not the array class of `dtype`.
 * @throws RangeError if lengths differ.
 */
export function fromFloat32Into(source: Float32Array, dtype: DType, out: TensorData): TensorData {
  convertInto({ data: source, dtype: "f32" }, { data: out, dtype });
  return out;
}

/**
 * Rounds f64 numbers to stored elements of `dtype` in `out`, of the same length, as {@link convertInto} does.
 * @throws TypeError if `out` is not the array class of `dtype`.
 * @throws RangeError if lengths differ.
 */
export function fromFloat64Into(source: Float64Array, dtype: DType, out: TensorData): TensorData {
  convertInto({ data: source, dtype: "f64" }, { data: out, dtype });
  return out;
}

/**
 * Converts stored elements to another element type; a copy. Rounds as {@link convertInto} does.
 * @throws TypeError if `data` is not the array class of `dtype`.
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
 * none) the largest number. Going to an integer type, numbers beyond its range become its nearest end and NaN becomes 0;
 * going to `bool`, everything but 0 becomes 1. Between equal types, and from a narrow float to f32 and back,
 * bits are kept, NaN payloads included.
 * @throws TypeError if an array is not the class of its element type.
 * @throws RangeError if lengths differ.
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
  else if (isBig(data)) {
    for (let i = 0; i < out.length; i++) out[i] = bigToNumber(data[i] ?? 0n, toOdd);
  } else out.set(data);
}

function widened(source: Floats): Float32Array {
  if (source.data instanceof Float32Array) return source.data;
  const wide = new Float32Array(source.data.length);
  floatKernels().convert(source, { dtype: "f32", data: wide });
  return wide;
}

function bigToNumber(value: bigint, toOdd: boolean): number {
  const magnitude = value < 0n ? -value : value;
  if (!toOdd || magnitude <= BIG_EXACT) return Number(value);
  const sticky = (magnitude & 2047n) === 0n ? 0n : 1n;
  const odd = Number((magnitude >> 11n) | sticky) * 2048;
  return value < 0n ? -odd : odd;
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
  else storeIntegers(numbers, out);
}

/** Smallest and largest value of an integer type, from its width and signedness. */
function integerRange(dtype: DType): readonly [bigint, bigint] {
  const bits = BigInt(DTYPES[dtype].bytes * 8);
  return dtype.startsWith("u") ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];
}

function storeIntegers(numbers: Float64Array, out: Elements): void {
  const [low, high] = integerRange(out.dtype);
  const [min, max] = [Number(low), Number(high)];
  for (let i = 0; i < numbers.length; i++) {
    const x = roundHalfEven(numbers[i] ?? 0);
    if (isBig(out.data)) {
      out.data[i] = x <= min ? low : x >= max ? high : BigInt(x);
    } else out.data[i] = Math.min(Math.max(x, min), max);
  }
}

function roundHalfEven(x: number): number {
  if (Number.isNaN(x)) return 0;
  const below = Math.floor(x);
  const fraction = x - below;
  if (fraction !== 0.5) return fraction < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
