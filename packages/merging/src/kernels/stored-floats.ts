import type { Numbers } from "./task-vectors.ts";

/** Elements that SIMD loops take as they are stored: f32 numbers, or the bits of bf16 ones. */
export type StoredFloats = Float32Array | Uint16Array;

/** What elements are, for SIMD loops: f32 numbers, bf16 ones, or differences to a base in f32. */
const [NUMBERS, BFLOATS] = [0, 1];
export const DIFFERENCES = 2;

/** Returns what stored elements are, for SIMD loops. */
export function kindOf(stored: StoredFloats | Int32Array | Numbers): number {
  return stored instanceof Uint16Array ? BFLOATS : NUMBERS;
}
