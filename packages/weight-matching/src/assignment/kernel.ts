import { readCode } from "../../wasm/assignment.mjs";

/** The memory of a kernel: `grow` detaches every view on `buffer`. */
export interface KernelMemory {
  /** Bytes of the memory at its present size. */
  readonly buffer: ArrayBuffer;
  /** Adds pages of 64 KiB, and returns the number of pages before. */
  grow(pages: number): number;
}

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/**
 * The exports of `kernels/assignment.ts`; addresses are byte offsets into `memory` and may be negative 32-bit
 * numbers.
 */
export interface AssignmentKernel {
  /** Memory that holds the matrix and all arrays of the problem. */
  readonly memory: KernelMemory;
  /**
   * Lays out a problem, with spare bytes for the source of a transposition; returns the bytes of memory it
   * needs.
   */
  layOut(rows: number, columns: number, spareBytes: number): number;
  /** Elements a row takes in the matrix. */
  strideOf(columns: number): number;
  /** Returns the address of the costs, f32 `[rows, stride]`. */
  costAddress(): number;
  /** Returns the address of the spare bytes, where a matrix is written before it is transposed. */
  spareAddress(): number;
  /** Returns the address of the prices, f64 `[columns]`: the duals of the columns, negated if maximising. */
  priceAddress(): number;
  /** Returns the address of the column of each row after a solve, i32 `[rows]`. */
  choiceAddress(): number;
  /** Returns the address of the duals of the rows after a solve, f64 `[rows]`. */
  rowDualAddress(): number;
  /** Moves rows that lie close together to their padded places. */
  spreadRows(): void;
  /**
   * Fills the matrix with the transpose of the f32 `[columns, rows]` matrix at an address, whose rows lie
   * close together.
   */
  transposeFrom(source: number): void;
  /**
   * Starts a problem that was laid out: no prices, no matching. Up to `denseColumns` columns no lists are
   * used. `resident`: the costs are in the matrix; else rows are fetched as needed.
   */
  begin(maximize: number, denseColumns: number, resident: number): void;
  /** Starts from the prices that the caller wrote instead of 0; for square problems only. */
  usePrices(): void;
  /**
   * Solves the problem that was begun; returns 0 if it is solved, 1 if there is no complete matching, 2 if a
   * value is not a cost. With `verify` the certificate comes from the costs alone.
   */
  solve(verify: number): number;
  /** Returns the row of the value that is not a cost, if `solve` returned 2. */
  getBadRow(): number;
  /** Returns the column of the value that is not a cost, if `solve` returned 2. */
  getBadColumn(): number;
  /** Returns the row that cannot be matched, if `solve` returned 1. */
  getStuckRow(): number;
  /** Returns the certified distance of the objective from its dual bound. */
  getGap(): number;
  /** Returns the sum of the costs of the assignment. */
  getObjective(): number;
  /** Returns the sum of the absolute costs of the assignment, by which the gap is judged. */
  getMagnitude(): number;
  /** Returns the number of bids in the auctions of the last solve. */
  getBids(): number;
  /** Returns the number of candidate lists that the last solve built. */
  getBuilds(): number;
  /** Returns the number of shortest-path searches on lists in the last solve. */
  getSearches(): number;
  /** Returns the number of rows that searches had to relax as a whole. */
  getWholeRows(): number;
  /** Returns 1 if the last solve searched whole rows throughout, else 0. */
  isDense(): number;
}

let compiled: object | undefined;

/** Copies rows [from, to) of the costs of the present problem to an address in the memory of the kernel. */
export type FetchRows = (from: number, to: number, address: number) => void;

/** Starts a kernel with separate memory; the code is compiled once. */
export function createKernel(fetchRows: FetchRows): AssignmentKernel {
  compiled ??= new WebAssembly.Module(readCode());
  const instance = new WebAssembly.Instance(compiled, { env: { fetchRows } });
  return instance.exports as AssignmentKernel;
}
