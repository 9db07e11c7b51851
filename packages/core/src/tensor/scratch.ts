import { floatKernels } from "./kernels/float-kernels.ts";
import type { KernelMemory, Scratch } from "./kernels/floats.ts";

/**
 * Borrows memory that the kernels can work in directly, as
 * long as some is free; else allocates ordinary memory.
 *
 * Arithmetic between arrays in such memory need not copy them in and out, which saves a third of the time.
 * There are 32 MiB of it, in pieces of up to 1 MiB, so it suits ranges of tensors that are streamed, not
 * whole tensors.
 */
export function borrowScratch(byteLength: number): Scratch {
  return floatKernels().borrow(byteLength) ?? { bytes: new Uint8Array(byteLength), release() {} };
}

/**
 * Returns the WebAssembly memory that scratch is borrowed from, so that kernels of other packages can
 * import it and compute in place; undefined where the runtime has no WebAssembly SIMD.
 *
 * Such kernels may only touch memory that was borrowed, and must have no static data of their own.
 */
export function kernelMemory(): KernelMemory | undefined {
  return floatKernels().memory;
}
