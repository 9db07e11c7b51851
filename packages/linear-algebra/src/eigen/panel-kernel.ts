import { placeArrays } from "@isthmus/core";
import { keepPanelKernels, takePanelKernels } from "./panel-instances.ts";

/** A symmetric matrix and one panel of its reduction, in memory that SIMD kernels work in. */
export interface PanelKernel {
  /** Matrix `[n, n]`, of which the upper half is read. */
  readonly data: Float64Array;
  /** Reflections `[panel, n]`, one a row. */
  readonly vectors: Float64Array;
  /** Rows W, `[panel, n]`, by which the matrix still lacks the change `V^T W + W^T V`. */
  readonly updates: Float64Array;
  /**
   * Subtracts the changes by the first `count` rows of the panel from row `i` of the matrix, from its
   * diagonal on.
   */
  bringUpToDate(i: number, count: number): void;
  /** Computes row `k` of the updates from reflection `k`, whose vector is zero before `begin`. */
  addUpdate(k: number, begin: number, scale: number): void;
  /** Lets the next matrix have the memory. */
  release(): void;
}

/**
 * Makes a kernel with memory of its own, which may be hundreds of megabytes and is freed with the kernel; a
 * small memory is kept for the next one.
 * @throws OutOfRangeError if the matrix is larger than 4 GiB
 */
export function createPanelKernel(n: number, panel: number): PanelKernel {
  const kernels = takePanelKernels();
  const { memory, bringUpToDate, addUpdate } = kernels;
  const lengths = [8 * n * n, 8 * panel * n, 8 * panel * n] as const;
  const [data, v, w] = placeArrays(kernels, lengths, `compute eigenvectors of a ${n} x ${n} matrix`);
  return {
    data: new Float64Array(memory.buffer, data, n * n),
    vectors: new Float64Array(memory.buffer, v, panel * n),
    updates: new Float64Array(memory.buffer, w, panel * n),
    bringUpToDate: (i, count) =>
      bringUpToDate(data + 8 * i * n, v + 8 * i, 8 * n, w, w + 8 * i, 8 * n, v, n, i, count),
    addUpdate: (k, begin, scale) => addUpdate(data, v, w, k, begin, n, scale),
    release: () => keepPanelKernels(kernels),
  };
}
