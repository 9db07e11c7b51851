import type { Elements } from "../elements.ts";
import { isNarrow, type NarrowFloat } from "./float-bits.ts";

/** Stored floats of a type whose values f32 holds exactly. */
export interface Floats {
  readonly dtype: NarrowFloat | "f32";
  readonly data: Float32Array | Uint16Array | Uint8Array;
}

/**
 * Arithmetic on stored floats in f32, rounded once to the stored type of `out`, to nearest even.
 *
 * There are two implementations that give the same bits. All arrays of a call have equal lengths, which
 * callers have checked; `out` may be one of the sources, but may not overlap one otherwise.
 */
export interface FloatKernels {
  /** Converts floats; exact to a wider type, and NaN payloads stay as far as they fit. */
  convert(source: Floats, out: Floats): void;
  /** Computes `out[i] = sum over k of weights[k] * sources[k][i]`, summed in order; NaN becomes canonical. */
  blend(sources: readonly Floats[], weights: Float32Array, out: Floats): void;
  /** Computes `out[i] = from[i] - by * (from[i] - to[i])`, but `from[i]` where both have the same bits. */
  step(from: Floats, to: Floats, by: number, out: Floats): void;
  /**
   * Goes from the first source towards the others in turn, by `places[k]` of the way to source k, in f32
   * without rounding in between; each part of the way is a step as `lerpInto()` makes it, exact at 0 and 1.
   * `places[0]` is not looked at.
   */
  approach(sources: readonly Floats[], places: readonly number[], out: Floats): void;
  /** Computes `sum over i of a[i] * b[i]`, products exact, added in f64 over 8 interleaved sums. */
  dot(a: Floats, b: Floats): number;
  /** Finds the index of the first NaN or infinity, or -1. */
  findNonFinite(source: Floats): number;
  /** Borrows memory in which arrays need no copying; undefined if none is left or there is no such memory. */
  borrow(byteLength: number): Scratch | undefined;
  /** The memory that is borrowed from; undefined if there is no such memory. */
  readonly memory: KernelMemory | undefined;
}

/** A WebAssembly memory that never grows, so that views of it stay valid. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
}

/** Returns elements as floats, if f32 holds their type exactly and their array has the correct class. */
export function asFloats({ dtype, data }: Elements): Floats | undefined {
  if (dtype === "f32") return data instanceof Float32Array ? { dtype, data } : undefined;
  const isPattern = data instanceof Uint16Array || data instanceof Uint8Array;
  return isPattern && isNarrow(dtype) ? { dtype, data } : undefined;
}

/** Memory that is borrowed and must be released. */
export interface Scratch {
  /** Bytes aligned to 16, with arbitrary content at first. */
  readonly bytes: Uint8Array;
  /** Releases the memory, once; `bytes` must not be used afterwards. */
  release(): void;
}
