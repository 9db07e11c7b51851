import type { Elements } from "../elements.ts";
import { isNarrow, type NarrowFloat } from "./float-bits.ts";

/** Floats that f32 holds exactly, as stored. */
export interface Floats {
  readonly dtype: NarrowFloat | "f32";
  readonly data: Float32Array | Uint16Array | Uint8Array;
}

/**
 * Arithmetic on stored floats in f32, rounded once to the stored type of `out`, to nearest even.
 *
 * There are two implementations that give the same bits. All arrays of a call have equal lengths, which callers
 * have checked; `out` may be one of the sources, but may not overlap one otherwise.
 */
export interface FloatKernels {
  /** Converts; exact when widening, NaN payloads kept as far as they fit. */
  convert(source: Floats, out: Floats): void;
  /** `out[i] = sum over k of weights[k] * sources[k][i]`, summed in order; NaN becomes the canonical one. */
  blend(sources: readonly Floats[], weights: Float32Array, out: Floats): void;
  /** `out[i] = from[i] - by * (from[i] - to[i])`, but `from[i]` where both are the same bits. */
  step(from: Floats, to: Floats, by: number, out: Floats): void;
  /** `sum over i of a[i] * b[i]`, products exact, added in f64 over 8 interleaved sums. */
  dot(a: Floats, b: Floats): number;
  /** Index of the first NaN or infinity, or -1. */
  findNonFinite(source: Floats): number;
  /** Lends memory in which arrays need no copying, or undefined if there is none left or none of the kind. */
  borrow(byteLength: number): Scratch | undefined;
}

/** The elements, if they are floats that f32 holds exactly and are kept in the right array. */
export function asFloats({ dtype, data }: Elements): Floats | undefined {
  if (dtype === "f32") return data instanceof Float32Array ? { dtype, data } : undefined;
  const isPattern = data instanceof Uint16Array || data instanceof Uint8Array;
  return isPattern && isNarrow(dtype) ? { dtype, data } : undefined;
}

/** Memory lent for a while. */
export interface Scratch {
  /** Aligned to 16 bytes; holds whatever was in it before. */
  readonly bytes: Uint8Array;
  /** Gives the memory back, once; `bytes` must not be used afterwards. */
  release(): void;
}
