import { kernelMemory, startKernels } from "@isthmus/core";
import { readCode } from "../../wasm/columns.mjs";

/** Functions of the compiled kernels/columns.ts, which take addresses in the memory of scratch. */
export interface Kernels {
  /**
   * Orders pairs of rows of f64, element by element: the smaller one goes to the first row of the pair.
   * `stride` is the number of bytes of a row, `pairs` the address of two u32 for each of `count` pairs.
   */
  orderPairs(rows: number, stride: number, pairs: number, count: number): void;
  /** Adds `weight * (values - base)` to `sums`, for `count` elements: f32 values, f64 base and sums. */
  addDisplacement(values: number, base: number, weight: number, sums: number, count: number): void;
}

let kernels: Kernels | undefined;

/**
 * Returns the compiled functions, or `undefined` if an array lies outside the memory that they compute in.
 */
export function kernelsIn(bytes: Uint8Array): Kernels | undefined {
  const memory = kernelMemory();
  if (memory === undefined || bytes.buffer !== memory.buffer) return undefined;
  kernels ??= startKernels(readCode()) as Kernels | undefined;
  return kernels;
}
