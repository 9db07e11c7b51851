import type { Elements } from "../elements.ts";
import { isNarrow, type NarrowFloat } from "./float-bits.ts";

/** Stored floats of a type whose values f32 represents exactly. */
export interface Floats {
  /** Element type of at most 32 bits. */
  readonly dtype: NarrowFloat | "f32";
  /** Elements: numbers for `f32`, bit patterns for narrower types. */
  readonly data: Float32Array | Uint16Array | Uint8Array;
}

/**
 * Arithmetic on stored floats in f32, rounded once to the stored type of `out`, to nearest even.
 *
 * There are two implementations that give the same bits. All arrays of a call have equal lengths, which
 * callers have checked; `out` may be one of the sources, but may not overlap one otherwise.
 */
export interface FloatKernels {
  /** Converts floats; exact to a wider type, and NaN payloads are kept as far as they fit. */
  convert(source: Floats, out: Floats): void;
  /** Computes `out[i] = sum over k of weights[k] * sources[k][i]`, summed in order; NaN becomes canonical. */
  blend(sources: readonly Floats[], weights: Float32Array, out: Floats): void;
  /** Computes `out[i] = from[i] - by * (from[i] - to[i])`, but `from[i]` if both have the same bits. */
  step(from: Floats, to: Floats, by: number, out: Floats): void;
  /**
   * Moves from the first source towards each other source in turn, by `places[k]` of the way to source k, in
   * f32 without rounding in between; each move is a step as in `lerpInto()`, exact at 0 and 1. `places[0]` is
   * ignored.
   */
  approach(sources: readonly Floats[], places: readonly number[], out: Floats): void;
  /** Computes `sum over i of a[i] * b[i]`, products exact, added in f64 over 8 interleaved sums. */
  dot(a: Floats, b: Floats): number;
  /** Finds the index of the first NaN or infinity; -1 if all numbers are finite. */
  findNonFinite(source: Floats): number;
  /**
   * Borrows memory in which kernels can compute without copies; undefined if none is free or there is no such
   * memory.
   */
  borrow(byteLength: number): Scratch | undefined;
  /** WebAssembly memory from which scratch is borrowed; undefined if there is no such memory. */
  readonly memory: KernelMemory | undefined;
}

/** A WebAssembly memory that never grows, so that views of it stay valid. */
export interface KernelMemory {
  /** Bytes of the memory, which all views share. */
  readonly buffer: ArrayBuffer;
}

/** Returns elements as floats, if f32 represents their type exactly and their array has the correct class. */
export function asFloats({ dtype, data }: Elements): Floats | undefined {
  if (dtype === "f32") return data instanceof Float32Array ? { dtype, data } : undefined;
  const isPattern = data instanceof Uint16Array || data instanceof Uint8Array;
  return isPattern && isNarrow(dtype) ? { dtype, data } : undefined;
}

/** Memory that is borrowed and must be released. */
export interface Scratch {
  /** Borrowed bytes, aligned to 16, with arbitrary content at first. */
  readonly bytes: Uint8Array;
  /** Releases the memory, once; `bytes` must not be used afterwards. */
  release(): void;
}
