import { floatKernels } from "./kernels/float-kernels.ts";
import type { KernelMemory, Scratch } from "./kernels/floats.ts";

/**
 * Borrows memory that the kernels can work in directly, if some is free; else allocates ordinary memory.
 *
 * Arithmetic between arrays in such memory need not copy them in and out, which saves a third of the time.
 * There are 32 MiB of such memory, in pieces of up to 1 MiB, so it suits ranges of streamed tensors, not
 * whole tensors.
 */
export function borrowScratch(byteLength: number): Scratch {
  return floatKernels().borrow(byteLength) ?? { bytes: new Uint8Array(byteLength), release() {} };
}

/**
 * Returns the WebAssembly memory that scratch is borrowed from, so that kernels of other packages can import
 * it and compute in place; undefined if the runtime has no WebAssembly SIMD.
 *
 * Such kernels may only access borrowed memory, and must have no static data of their own.
 */
export function kernelMemory(): KernelMemory | undefined {
  return floatKernels().memory;
}
