import { kernelMemory, startKernels } from "@isthmus/core";
import { type Kernels, readCode } from "../../wasm/columns.mjs";

export type { Kernels };

let kernels: Kernels | undefined;

/**
 * Returns the compiled functions, or `undefined` if an array lies outside the memory that they compute in.
 */
export function kernelsIn(bytes: Uint8Array): Kernels | undefined {
  const memory = kernelMemory();
  if (memory === undefined || bytes.buffer !== memory.buffer) return undefined;
  kernels ??= startKernels<Kernels>(readCode, { memory });
  return kernels;
}
