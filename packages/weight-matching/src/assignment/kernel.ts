import { readFileSync } from "node:fs";

/** The memory of a kernel: `grow` detaches every view on `buffer`. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/**
 * The exports of `wasm/assignment.wasm`; addresses are byte offsets into `memory` and may be negative 32-bit
 * numbers.
 */
export interface AssignmentKernel {
  readonly memory: KernelMemory;
  layOut(rows: number, columns: number, spareBytes: number): number;
  /** Elements a row takes in the matrix. */
  strideOf(columns: number): number;
  costAddress(): number;
  spareAddress(): number;
  priceAddress(): number;
  choiceAddress(): number;
  rowDualAddress(): number;
  spreadRows(): void;
  transposeFrom(source: number): void;
  /**
   * Starts a problem that was laid out: no prices, no matching. Up to `denseColumns` columns no lists are
   * used. `resident`: the costs are in the matrix; else rows are fetched as needed.
   */
  begin(maximize: number, denseColumns: number, resident: number): void;
  usePrices(): void;
  /**
   * Solves the problem that was begun; returns 0 if it is solved, 1 if there is no complete matching, 2 if a
   * value is not a cost. With `verify` the certificate comes from the costs alone.
   */
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

/** Copies rows [from, to) of the costs of the present problem to an address in the memory of the kernel. */
export type FetchRows = (from: number, to: number, address: number) => void;

/** Starts a kernel with separate memory; the code is compiled once. */
export function createKernel(fetchRows: FetchRows): AssignmentKernel {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("../../wasm/assignment.wasm", import.meta.url)));
  const instance = new WebAssembly.Instance(compiled, { env: { fetchRows } });
  return instance.exports as AssignmentKernel;
}
