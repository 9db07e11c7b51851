import { OutOfRangeError } from "../errors.ts";
import { at } from "../invariant.ts";
import { convertInto, fromFloat64Into, toFloat64 } from "./convert.ts";
import { assertElements, type Elements, isBig } from "./elements.ts";
import { addWeighted, stepInPlace } from "./kernels/f64-loops.ts";
import { floatKernels } from "./kernels/float-kernels.ts";
import { asFloats } from "./kernels/floats.ts";

/** Number of elements that are converted to f64 at a time. */
const BLOCK = 4096;

/**
 * Writes the weighted sum of stored elements: `out[i] = round(sum over k of weights[k] * sources[k][i])`.
 *
 * Products and sums are computed in f32, in the order of `sources`, and the result is rounded once to the
 * type of `out`; if any array is f64 or an integer type, f64 takes the place of f32. A NaN in the result is
 * the canonical one. Element types may differ. `out` may be one of the sources.
 * @throws OutOfRangeError if there are no sources, or lengths or the number of weights differ.
 * @throws UsageError if an array is not the class of its element type.
 */
export function blendInto(sources: readonly Elements[], weights: readonly number[], out: Elements): void {
  if (sources.length === 0)
    throw new OutOfRangeError("Cannot blend tensors as there must be at least one: got none");
  if (weights.length !== sources.length) {
    throw new OutOfRangeError(
      `Cannot blend tensors as each needs one weight: got ${sources.length} tensors and ${weights.length} weights`,
    );
  }
  assertElements("blend", [...sources, out]);
  const floats = sources.map(asFloats);
  const result = asFloats(out);
  if (result !== undefined && floats.every((source) => source !== undefined)) {
    floatKernels().blend(floats, Float32Array.from(weights), result);
  } else blendThroughF64(sources, weights, out);
}

/**
 * Interpolates between two arrays of stored elements: `out[i] = a[i]` at `t = 0`, `b[i]` at `t = 1`.
 *
 * Computes `a - t (a - b)` for `t < 0.5` and `b - (1 - t) (b - a)` from there on, in f32 (f64 if any array is
 * f64 or an integer type), rounded once to the type of `out`. So the ends are exact, equal elements stay
 * unchanged, bit for bit, and swapping `a` and `b` swaps `t` and `1 - t`, except for the last bit at
 * `t = 0.5`. `t` may be any finite number: beyond `[0, 1]` it extrapolates.
 *
 * Element types may differ. `out` may be `a` or `b`.
 * @throws OutOfRangeError if `t` is not finite, or lengths differ.
 * @throws UsageError if an array is not the class of its element type.
 */
export function lerpInto(a: Elements, b: Elements, t: number, out: Elements): void {
  if (!Number.isFinite(t)) throw new OutOfRangeError(`Cannot interpolate as t must be finite: it is ${t}`);
  assertElements("interpolate", [a, b, out]);
  const [from, to, by] = t < 0.5 ? [a, b, t] : [b, a, 1 - t];
  const source = asFloats(from);
  const target = asFloats(to);
  const result = asFloats(out);
  if (by === 0) convertInto(from, out);
  else if (source && target && result) floatKernels().step(source, target, by, result);
  else stepThroughF64(from, to, by, out);
}

/**
 * Moves from the first array of stored elements towards each other array in turn:
 * `mean = lerp(mean, sources[k], places[k])`, in f32 (f64 if any array is f64 or an integer type), rounded
 * once at the end.
 *
 * With places `w_k / (w_0 + ... + w_k)` this is the average with weights w, one array at a time, and equal
 * elements stay unchanged, bit for bit. Element types may differ. `out` may not be one of the sources.
 * @param places - position for each source; the first one is ignored
 * @throws OutOfRangeError if there are no sources, a place is missing or not finite, or lengths differ.
 * @throws UsageError if an array is not the class of its element type.
 */
export function approachInto(sources: readonly Elements[], places: readonly number[], out: Elements): void {
  if (sources.length === 0)
    throw new OutOfRangeError("Cannot average tensors as there must be at least one: got none");
  if (places.length !== sources.length || !places.every(Number.isFinite)) {
    throw new OutOfRangeError(
      `Cannot average ${sources.length} tensors as each needs a finite place on the way to it: got ${places.join(", ")}`,
    );
  }
  assertElements("average", [...sources, out]);
  const floats = sources.map(asFloats);
  const result = asFloats(out);
  if (result !== undefined && floats.every((source) => source !== undefined)) {
    floatKernels().approach(floats, places, result);
  } else approachThroughF64(sources, places, out);
}

function approachThroughF64(sources: readonly Elements[], places: readonly number[], out: Elements): void {
  for (let begin = 0; begin < out.data.length; begin += BLOCK) {
    let mean = loadBlock(at(sources, 0), begin);
    for (const [k, source] of sources.entries()) {
      const place = at(places, k);
      if (k === 0 || place === 0) continue;
      const part = loadBlock(source, begin);
      const [from, to, by] = place < 0.5 ? [mean, part, place] : [part, mean, 1 - place];
      if (by !== 0) stepInPlace(from, to, by);
      mean = from;
    }
    storeBlock(mean, out, begin);
  }
}

function blendThroughF64(sources: readonly Elements[], weights: readonly number[], out: Elements): void {
  for (let begin = 0; begin < out.data.length; begin += BLOCK) {
    const sum = new Float64Array(Math.min(BLOCK, out.data.length - begin));
    for (const [k, source] of sources.entries()) {
      addWeighted(sum, loadBlock(source, begin), at(weights, k, "weight"), k === 0);
    }
    storeBlock(sum, out, begin);
  }
}

function stepThroughF64(from: Elements, to: Elements, by: number, out: Elements): void {
  const exact = sameIntegers(from, to, out);
  for (let begin = 0; begin < out.data.length; begin += BLOCK) {
    const x = loadBlock(from, begin);
    stepInPlace(x, loadBlock(to, begin), by);
    storeBlock(x, out, begin);
  }
  if (exact !== undefined) for (const [i, value] of exact) (out.data as BigInt64Array)[i] = value;
}

/**
 * Finds 64-bit integers that are equal in both arrays and
 * that f64 cannot hold, by index; they must not change.
 */
function sameIntegers(from: Elements, to: Elements, out: Elements): Map<number, bigint> | undefined {
  const [a, b] = [from.data, to.data];
  if (!isBig(a) || !isBig(b) || from.dtype !== out.dtype || to.dtype !== out.dtype) return undefined;
  const unchanged = new Map<number, bigint>();
  for (const [i, value] of a.entries()) {
    if (value === b[i] && BigInt(Number(value)) !== value) unchanged.set(i, value);
  }
  return unchanged;
}

function loadBlock({ data, dtype }: Elements, begin: number): Float64Array {
  return toFloat64(data.subarray(begin, begin + BLOCK), dtype);
}

function storeBlock(numbers: Float64Array, { data, dtype }: Elements, begin: number): void {
  fromFloat64Into(numbers, dtype, data.subarray(begin, begin + numbers.length));
}
