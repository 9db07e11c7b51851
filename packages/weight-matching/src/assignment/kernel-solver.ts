import { growMemory, InputError, OutOfRangeError, resolveOptions, startKernels } from "@isthmus/core";
import { type Kernels, readCode } from "../../wasm/assignment.mjs";
import { bytesForAssignment } from "./assignment-memory.ts";
import { ASSIGNMENT_DEFAULTS, type AssignmentOptions, type AssignmentResult } from "./assignment-result.ts";
import type { AssignmentSolver } from "./assignment-solver.ts";
import { assertCostMatrix, type CostMatrix, strideOf } from "./cost-matrix.ts";

/**
 * Share of the sum of absolute costs that rounding may leave of a gap (`TOLERANCE` in
 * kernels/assignment/solve.ts).
 */
const TOLERANCE = 1e-14;

/** Most columns for which whole rows are searched, as lists do not pay. Measured. */
const DENSE_COLUMNS = 64;

/** Words of errors for what was attempted. */
const ATTEMPT = "solve an assignment";

/** An empty problem, which the solver holds between solves. */
const NOTHING: CostMatrix = { data: new Float32Array(0), rows: 0, columns: 0 };

/** The solver behind `createAssignmentSolver`. */
export class KernelSolver implements AssignmentSolver {
  readonly maxRows: number;
  readonly maxColumns: number;
  readonly #kernel: Kernels;

  readonly #denseColumns: number;
  /** The costs of the problem being solved, for `fetchRows`. */
  #source: CostMatrix = NOTHING;

  /** @param denseColumns Up to this many columns whole rows are searched instead of lists. */
  constructor(maxRows: number, maxColumns: number, denseColumns: number = DENSE_COLUMNS) {
    this.#denseColumns = denseColumns;
    this.maxRows = maxRows;
    this.maxColumns = maxColumns;
    this.#kernel = startKernels<Kernels>(readCode, {
      fetchRows: (from: number, to: number, address: number) => this.#fetchRows(from, to, address),
    });
    growMemory(this.#kernel.memory, largestNeed(maxRows, maxColumns), ATTEMPT);
  }

  costs(rows: number, columns: number): Float32Array {
    this.#layOut(rows, columns);
    return this.#input(rows, columns);
  }

  solve(cost: CostMatrix, options?: AssignmentOptions): AssignmentResult {
    const { maximize, duals, verify } = resolveOptions(ATTEMPT, ASSIGNMENT_DEFAULTS, options);
    assertCostMatrix(cost);
    assertDuals(duals, cost.columns);
    this.#layOut(cost.rows, cost.columns);
    const kernel = this.#kernel;
    const resident = this.#place(cost);
    kernel.begin(maximize, this.#denseColumns, resident);
    const warm = duals !== undefined && cost.rows === cost.columns;
    if (warm) this.#start(duals, maximize);
    this.#source = cost;
    try {
      this.#assertSolved(kernel.solve(verify ?? !warm), cost);
    } finally {
      this.#source = NOTHING;
    }
    return this.#result(cost, maximize);
  }

  #layOut(rows: number, columns: number): void {
    if (rows > this.maxRows || columns > this.maxColumns) {
      throw new OutOfRangeError(
        `Cannot solve an assignment of ${rows} x ${columns} as this solver was made for at most ${this.maxRows} x ${this.maxColumns}: make a larger one`,
      );
    }
    const tall = rows > columns;
    // The kernel requires at least as many columns as rows.
    const bytes = tall
      ? this.#kernel.layOut(columns, rows, rows * columns * 4)
      : this.#kernel.layOut(rows, columns, 0);
    growMemory(this.#kernel.memory, bytes >>> 0, ATTEMPT);
  }

  /**
   * Returns the memory in which the costs of the problem that was laid out are expected, rows close together.
   */
  #input(rows: number, columns: number): Float32Array {
    const kernel = this.#kernel;
    const address = rows > columns ? kernel.spareAddress() : kernel.costAddress();
    return new Float32Array(kernel.memory.buffer, address >>> 0, rows * columns);
  }

  /**
   * Moves costs into the matrix if they are in the memory already or must be transposed; returns whether they
   * are in it.
   */
  #place(cost: CostMatrix): boolean {
    const { rows, columns } = cost;
    const kernel = this.#kernel;
    const input = this.#input(rows, columns);
    const shared = sharesMemory(cost, input);
    if (rows > columns) {
      if (!shared) copyRows(cost, input, { from: 0, to: rows, stride: columns });
      kernel.transposeFrom(kernel.spareAddress());
      return true;
    }
    if (shared) kernel.spreadRows();
    return shared;
  }

  /** Copies rows of the costs to the kernel when it asks for them. */
  #fetchRows(from: number, to: number, address: number): void {
    const stride = this.#kernel.strideOf(this.#source.columns);
    const out = new Float32Array(this.#kernel.memory.buffer, address >>> 0);
    copyRows(this.#source, out, { from, to, stride });
  }

  #assertSolved(status: number, cost: CostMatrix): void {
    if (status === 1) throw this.#infeasible(cost);
    if (status === 2) throw this.#badCost(cost);
  }

  #badCost(cost: CostMatrix): InputError {
    const tall = cost.rows > cost.columns;
    const place = [this.#kernel.getBadRow(), this.#kernel.getBadColumn()] as const;
    const [row, column] = tall ? [place[1], place[0]] : place;
    const value = cost.data[row * strideOf(cost) + column];
    return new InputError(
      `Cannot solve an assignment as every cost must be a number or a forbidden edge (+Infinity to minimise, -Infinity to maximise): row ${row}, column ${column} is ${value}`,
      { input: "cost" },
    );
  }

  #start(duals: Float64Array, maximize: boolean): void {
    const kernel = this.#kernel;
    const prices = new Float64Array(kernel.memory.buffer, kernel.priceAddress() >>> 0, duals.length);
    prices.set(maximize ? duals.map((dual) => -dual) : duals);
    kernel.usePrices();
  }

  #infeasible(cost: CostMatrix): InputError {
    const side = cost.rows > cost.columns ? "column" : "row";
    return new InputError(
      `Cannot solve an assignment of ${cost.rows} x ${cost.columns} as forbidden edges leave no complete matching: ${side} ${this.#kernel.getStuckRow()} finds no partner; allow more edges`,
      { input: "cost" },
    );
  }

  #result(cost: CostMatrix, maximize: boolean): AssignmentResult {
    const { rows, columns } = cost;
    const kernel = this.#kernel;
    const { buffer } = kernel.memory;
    const tall = rows > columns;
    const short = Math.min(rows, columns);
    const choice = new Int32Array(buffer, kernel.choiceAddress() >>> 0, short);
    const shortDuals = new Float64Array(buffer, kernel.rowDualAddress() >>> 0, short).slice();
    const longDuals = new Float64Array(buffer, kernel.priceAddress() >>> 0, Math.max(rows, columns)).slice();
    if (maximize) {
      negateInPlace(shortDuals);
      negateInPlace(longDuals);
    }
    return {
      assignment: tall ? invert(choice, rows) : choice.slice(),
      rowDuals: tall ? longDuals : shortDuals,
      columnDuals: tall ? shortDuals : longDuals,
      objective: maximize ? 0 - kernel.getObjective() : kernel.getObjective(),
      gap: kernel.getGap(),
      status: kernel.getGap() <= TOLERANCE * kernel.getMagnitude() ? "optimal" : "inexact",
      stats: {
        bids: kernel.getBids(),
        listBuilds: kernel.getBuilds(),
        searches: kernel.getSearches(),
        wholeRows: kernel.getWholeRows(),
        dense: kernel.isDense() !== 0,
      },
    };
  }
}

/**
 * Computes the largest need of all shapes that a solver takes; tall problems also hold the source of a
 * transposition.
 */
function largestNeed(maxRows: number, maxColumns: number): number {
  const square = Math.min(maxRows, maxColumns);
  return Math.max(
    bytesForAssignment(maxRows, maxColumns),
    bytesForAssignment(square, square),
    bytesForAssignment(maxRows, Math.max(0, Math.min(maxRows - 1, maxColumns))),
  );
}

function sharesMemory(cost: CostMatrix, view: Float32Array): boolean {
  return (
    cost.data.buffer === view.buffer &&
    cost.data.byteOffset === view.byteOffset &&
    strideOf(cost) === cost.columns
  );
}

/** Copies rows [from, to) of `cost` to the start of `out`, a row every `stride` elements. */
function copyRows(
  cost: CostMatrix,
  out: Float32Array,
  layout: { readonly from: number; readonly to: number; readonly stride: number },
): void {
  const { data, columns } = cost;
  const source = strideOf(cost);
  const { from, to, stride } = layout;
  if (to - from === 1 || (source === stride && stride === columns)) {
    const start = from * source;
    out.set(data.subarray(start, start + (to - from - 1) * source + columns));
    return;
  }
  for (let i = from; i < to; ++i) {
    out.set(data.subarray(i * source, i * source + columns), (i - from) * stride);
  }
}

/**
 * Checks dual variables given for a warm start.
 * @throws OutOfRangeError if their number is wrong or one is not finite.
 */
function assertDuals(duals: Float64Array | undefined, columns: number): void {
  if (duals === undefined) return;
  if (duals.length !== columns) {
    throw new OutOfRangeError(
      `Cannot start an assignment from duals as there must be one for each of ${columns} columns: there are ${duals.length}`,
    );
  }
  const bad = duals.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) {
    throw new OutOfRangeError(
      `Cannot start an assignment from duals as they must be finite: number ${bad} is ${duals[bad]}`,
    );
  }
}

/** Negates without leaving -0. */
function negateInPlace(values: Float64Array): void {
  values.forEach((value, k) => {
    values[k] = 0 - value;
  });
}

function invert(choice: Int32Array, size: number): Int32Array {
  const result = new Int32Array(size).fill(-1);
  choice.forEach((partner, k) => {
    result[partner] = k;
  });
  return result;
}
