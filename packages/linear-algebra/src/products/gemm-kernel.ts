import { placeArrays, startKernels } from "@isthmus/core";
import { type Kernels, readCode } from "../../wasm/gemm.mjs";

/** Rows of a panel of the left matrix. */
export const PANEL_ROWS = 4;
/** Extents of blocks: rows of the left matrix, columns of the right one, and steps of the inner dimension. */
export const BLOCK = { rows: 128, columns: 512, depth: 256 } as const;

/** A kernel for one element type, with memory for one block of each matrix. */
export interface GemmKernel {
  /** Packed panels of the left matrix, `[panels][depth][4]`. */
  readonly left: Float32Array | Float64Array;
  /** Packed panels of the right matrix, `[panels][depth][panelColumns]`. */
  readonly right: Float32Array | Float64Array;
  /** Sum in row-major order; a row has `panelsB * panelColumns` elements. */
  readonly sum: Float32Array | Float64Array;
  /** Columns of a panel of the right matrix. */
  readonly panelColumns: number;
  /** Adds the product of the packed blocks to the sum. */
  addProduct(panelsA: number, panelsB: number, depth: number): void;
}

let kernels: { readonly f32: GemmKernel; readonly f64: GemmKernel } | undefined;

/** Returns the kernels, which are compiled once and share their memory: one product runs at a time. */
export function gemmKernels(): NonNullable<typeof kernels> {
  kernels ??= loadKernels();
  return kernels;
}

function loadKernels(): NonNullable<typeof kernels> {
  const loaded = startKernels<Kernels>(readCode);
  const { memory, addProductF32, addProductF64 } = loaded;
  const lengths = [
    BLOCK.rows * BLOCK.depth * 8,
    BLOCK.columns * BLOCK.depth * 8,
    BLOCK.rows * BLOCK.columns * 8,
  ] as const;
  const [left, right, sum] = placeArrays(loaded, lengths, "multiply matrices");
  const bind = (
    Elements: Float32ArrayConstructor | Float64ArrayConstructor,
    add: Kernels["addProductF32"],
  ): GemmKernel => {
    const view = (at: number, count: number) => new Elements(memory.buffer, at, count);
    return {
      left: view(left, BLOCK.rows * BLOCK.depth),
      right: view(right, BLOCK.columns * BLOCK.depth),
      sum: view(sum, BLOCK.rows * BLOCK.columns),
      panelColumns: 32 / Elements.BYTES_PER_ELEMENT,
      addProduct: (panelsA, panelsB, depth) => add(left, right, sum, panelsA, panelsB, depth),
    };
  };
  return { f32: bind(Float32Array, addProductF32), f64: bind(Float64Array, addProductF64) };
}
