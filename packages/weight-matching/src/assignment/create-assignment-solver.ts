import { assertFitsMemory } from "./assignment-memory.ts";
import type { AssignmentOptions, AssignmentResult } from "./assignment-result.ts";
import type { CostMatrix } from "./cost-matrix.ts";
import { KernelSolver } from "./kernel-solver.ts";

/** A solver with memory of its own, for many problems one after the other. */
export interface AssignmentSolver {
  /** Largest number of rows and of columns it takes. */
  readonly maxRows: number;
  readonly maxColumns: number;
  /**
   * View [rows, columns] on the memory of the solver, with the rows close together: whoever computes the costs can write them here, and
   * `solve` then copies nothing. Valid until the next call of `costs` or `solve`; `solve` leaves other values in it.
   * @throws RangeError if the sizes exceed `maxRows` or `maxColumns`.
   */
  costs(rows: number, columns: number): Float32Array;
  /**
   * Finds an assignment of least (or greatest) sum: see `solveAssignment`. `cost.data` may be the view that `costs` returned.
   * @throws RangeError if the sizes exceed `maxRows` or `maxColumns`.
   */
  solve(cost: CostMatrix, options?: AssignmentOptions): AssignmentResult;
}

/**
 * Makes a solver for problems of up to `maxRows` x `maxColumns`, which takes its memory at once and keeps it.
 * @throws RangeError if that needs more than 4 GiB.
 */
export function createAssignmentSolver(maxRows: number, maxColumns: number): AssignmentSolver {
  assertSize("maxRows", maxRows);
  assertSize("maxColumns", maxColumns);
  assertFitsMemory(maxRows, maxColumns);
  return new KernelSolver(maxRows, maxColumns);
}

function assertSize(name: string, size: number): void {
  if (Number.isSafeInteger(size) && size >= 0) return;
  throw new RangeError(
    `Cannot make an assignment solver as its sizes must be whole numbers from 0: ${name} is ${size}`,
  );
}
