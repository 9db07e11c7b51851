import { startKernels } from "@isthmus/core";
import { type Kernels, readCode } from "../../wasm/panel.mjs";

/** Started kernels that nothing uses: small matrices need no start, which would take most of their time. */
const idle: Kernels[] = [];
/** Most kernels that are kept. */
const KEPT = 2;
/** Most bytes of memory of kernels that are kept. */
const MOST_BYTES = 2 ** 21;

/** Returns kernels with a memory of their own, which may hold anything. */
export function takePanelKernels(): Kernels {
  return idle.pop() ?? startKernels<Kernels>(readCode);
}

/** Keeps kernels for the next matrix, unless their memory is large. */
export function keepPanelKernels(kernels: Kernels): void {
  if (idle.length < KEPT && kernels.memory.buffer.byteLength <= MOST_BYTES) idle.push(kernels);
}
