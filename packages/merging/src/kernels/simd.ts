import { kernelMemory, startKernels } from "@isthmus/core";
import * as elementwise from "../../wasm/elementwise.mjs";
import * as mixtures from "../../wasm/mixtures.mjs";
import * as softmax from "../../wasm/softmax.mjs";
import * as taskVectors from "../../wasm/task-vectors.mjs";

/**
 * Loops of kernels/*.ts. Their arguments are addresses of arrays, numbers, and last a count that is a
 * multiple of 8.
 */
export type Simd = elementwise.Kernels & mixtures.Kernels & softmax.Kernels & taskVectors.Kernels;

/** Number of elements that SIMD loops process at once. */
const GROUP = 8;

let loaded: { readonly simd: Simd; readonly buffer: ArrayBuffer } | undefined;
let isTried = false;

/** Returns the SIMD loops if all arrays lie in the memory in which they compute; otherwise undefined. */
export function simdFor(...arrays: readonly ArrayBufferView[]): Simd | undefined {
  if (!isTried) {
    loaded = load();
    isTried = true;
  }
  if (loaded === undefined) return undefined;
  for (const { buffer } of arrays) if (buffer !== loaded.buffer) return undefined;
  return loaded.simd;
}

/** Returns the number of elements in complete groups; plain loops process the rest. */
export function wholeGroups(length: number): number {
  return length - (length % GROUP);
}

function load(): typeof loaded {
  const memory = kernelMemory();
  if (memory === undefined) return undefined;
  const simd = {
    ...startKernels<elementwise.Kernels>(elementwise.readCode, { memory }),
    ...startKernels<mixtures.Kernels>(mixtures.readCode, { memory }),
    ...startKernels<softmax.Kernels>(softmax.readCode, { memory }),
    ...startKernels<taskVectors.Kernels>(taskVectors.readCode, { memory }),
  };
  return { simd, buffer: memory.buffer };
}
