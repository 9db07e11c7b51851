import type { FloatKernels } from "./floats.ts";
import { scalarKernels } from "./scalar-kernels.ts";
import { loadWasmKernels } from "./wasm-kernels.ts";

let chosen: FloatKernels | undefined;

/** Returns the kernels to use: WebAssembly SIMD if the runtime supports it, else plain TypeScript. */
export function floatKernels(): FloatKernels {
  chosen ??= loadWasmKernels() ?? scalarKernels;
  return chosen;
}
