import type { FloatKernels } from "./floats.ts";
import { scalarKernels } from "./scalar-kernels.ts";
import { loadWasmKernels } from "./wasm-kernels.ts";

let chosen: FloatKernels | undefined;

/**
 * Returns the kernels that convert and combine arrays of floats: in WebAssembly SIMD if the runtime supports
 * it, else in plain TypeScript.
 */
export function floatKernels(): FloatKernels {
  chosen ??= loadWasmKernels() ?? scalarKernels;
  return chosen;
}
