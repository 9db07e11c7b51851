import type { AssignmentOptions, AssignmentResult } from "./assignment-result.ts";
import type { CostMatrix } from "./cost-matrix.ts";

/** A solver with memory of its own, for many problems one after the other. */
export interface AssignmentSolver {
  /** Largest number of rows and of columns it takes. */
  readonly maxRows: number;
  readonly maxColumns: number;
  /**
   * View [rows, columns] on the memory of the solver, with the rows close together: whoever computes the costs can write them here, and
   * `solve` then copies nothing. Valid until the next call of `costs` or `solve`; `solve` leaves other values in it.
   * @throws OutOfRangeError if the sizes exceed `maxRows` or `maxColumns`.
   */
  costs(rows: number, columns: number): Float32Array;
  /**
   * Finds an assignment of least (or greatest) sum: see `solveAssignment`. `cost.data` may be the view that `costs` returned.
   * @throws OutOfRangeError if the sizes exceed `maxRows` or `maxColumns`.
   */
  solve(cost: CostMatrix, options?: AssignmentOptions): AssignmentResult;
}
