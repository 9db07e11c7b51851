import { readFileSync } from "node:fs";

/** The memory of a kernel: `grow` detaches every view on `buffer`. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

/** What `wasm/assignment.wasm` exports; addresses are byte offsets into `memory` and may come as negative 32-bit numbers. */
export interface AssignmentKernel {
  readonly memory: KernelMemory;
  layOut(rows: number, columns: number, spareBytes: number): number;
  strideOf(columns: number): number;
  costAddress(): number;
  spareAddress(): number;
  priceAddress(): number;
  choiceAddress(): number;
  rowDualAddress(): number;
  /** Starts a problem that was laid out: no prices, no matching. Up to `denseColumns` columns no lists are used. */
  begin(maximize: number, denseColumns: number): void;
  usePrices(): void;
  spreadRows(): void;
  transposeFrom(source: number): void;
  /** Checks rows [from, to) and gives them their least columns where those are free; 0 on a value that is not a cost. */
  readRows(from: number, to: number): number;
  /** 0: solved; 1: no perfect matching. */
  solve(): number;
  getBadRow(): number;
  getBadColumn(): number;
  getStuckRow(): number;
  getGap(): number;
  getObjective(): number;
  getMagnitude(): number;
  getBids(): number;
  getBuilds(): number;
  getSearches(): number;
  getWholeRows(): number;
  isDense(): number;
}

let compiled: object | undefined;

/** Starts a kernel with a memory of its own; the code is compiled once. */
export function createKernel(): AssignmentKernel {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("../../wasm/assignment.wasm", import.meta.url)));
  const instance = new WebAssembly.Instance(compiled);
  return instance.exports as AssignmentKernel;
}
