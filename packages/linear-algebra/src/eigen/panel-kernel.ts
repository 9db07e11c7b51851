import { OutOfRangeError } from "@isthmus/core";
import { readCode } from "../../wasm/panel.mjs";

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly base: { readonly value: number };
  bringUpToDate(row: number, v: number, w: number, i: number, n: number, count: number): void;
  addUpdate(data: number, v: number, w: number, k: number, begin: number, n: number, scale: number): void;
}

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
}

let code: object | undefined;

/** Number of bytes that a kernel can address. */
const MOST_BYTES = 2 ** 32;

/**
 * Makes a kernel with memory of its own, which may be hundreds of megabytes and is freed with the kernel.
 * @throws OutOfRangeError if the matrix is larger than 4 GiB
 */
export function createPanelKernel(n: number, panel: number): PanelKernel {
  code ??= new WebAssembly.Module(readCode());
  const instance = new WebAssembly.Instance(code, { env: { abort() {} } });
  const { memory, base, bringUpToDate, addUpdate } = instance.exports as Exports;
  const data = base.value;
  const v = data + 8 * n * n;
  const w = v + 8 * panel * n;
  const end = w + 8 * panel * n;
  if (end > MOST_BYTES) {
    throw new OutOfRangeError(
      `Cannot compute eigenvectors of a ${n} x ${n} matrix as it must fit into 4 GiB as f64: it takes ${8 * n * n} bytes`,
    );
  }
  memory.grow(Math.max(0, Math.ceil((end - memory.buffer.byteLength) / 65536)));
  return {
    data: new Float64Array(memory.buffer, data, n * n),
    vectors: new Float64Array(memory.buffer, v, panel * n),
    updates: new Float64Array(memory.buffer, w, panel * n),
    bringUpToDate: (i, count) => bringUpToDate(data + 8 * i * n, v, w, i, n, count),
    addUpdate: (k, begin, scale) => addUpdate(data, v, w, k, begin, n, scale),
  };
}
