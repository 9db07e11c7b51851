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
  stageAddress(): number;
  /** Rows that fit the stage. */
  stagedRows(): number;
  priceAddress(): number;
  choiceAddress(): number;
  rowDualAddress(): number;
  /** Starts a problem that was laid out: no prices, no matching. Up to `denseColumns` columns no lists are used. */
  begin(maximize: number, denseColumns: number): void;
  usePrices(): void;
  /** Fills the padding of rows that `readRows` does not see. */
  padRows(address: number, count: number): void;
  spreadRows(): void;
  transposeFrom(source: number): void;
  /**
   * Checks rows [from, to), at most `stagedRows()`, which lie at address `at`, and gives them their least columns where those are
   * free; 0 on a value that is not a cost.
   */
  readRows(from: number, to: number, at: number): number;
  /** Whether every row so far got its least column, at no price: then the matrix is not needed. */
  isUncontested(): number;
  /** 0: solved; 1: no perfect matching. With `verify` the certificate comes from the matrix alone. */
  solve(verify: number): number;
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
