import type { FloatKernels } from "./floats.ts";
import { scalarKernels } from "./scalar-kernels.ts";
import { loadWasmKernels } from "./wasm-kernels.ts";

let chosen: FloatKernels | undefined;

/** The kernels to use: WebAssembly SIMD where the runtime has it, else plain TypeScript. */
export function floatKernels(): FloatKernels {
  chosen ??= loadWasmKernels() ?? scalarKernels;
  return chosen;
}
