import { floatKernels } from "./kernels/float-kernels.ts";
import type { KernelMemory, Scratch } from "./kernels/floats.ts";

/** The part of WebAssembly that this file uses; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

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

/**
 * Starts compiled kernels that compute in the memory of scratch.
 * @returns their functions by name; undefined if the runtime has no WebAssembly SIMD
 */
export function startKernels(code: Uint8Array): object | undefined {
  const memory = kernelMemory();
  if (memory === undefined) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports;
}
