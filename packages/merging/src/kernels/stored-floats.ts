import type { Numbers } from "./task-vectors.ts";

/** Stored elements that SIMD loops read directly: f32 numbers, or the bits of bf16 numbers. */
export type StoredFloats = Float32Array | Uint16Array;

/** Kinds of elements for SIMD loops: f32 numbers, bf16 numbers, or differences from a base in f32. */
const [NUMBERS, BFLOATS] = [0, 1];
export const DIFFERENCES = 2;

/** Returns the kind of stored elements, for SIMD loops. */
export function kindOf(stored: StoredFloats | Int32Array | Numbers): number {
  return stored instanceof Uint16Array ? BFLOATS : NUMBERS;
}
