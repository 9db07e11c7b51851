import type { AssignmentOptions, AssignmentResult } from "./assignment-result.ts";
import type { CostMatrix } from "./cost-matrix.ts";

/** A solver that owns its memory, for many problems one after the other. */
export interface AssignmentSolver {
  /** Largest number of rows and of columns it takes. */
  readonly maxRows: number;
  /** Largest number of columns it takes. */
  readonly maxColumns: number;
  /**
   * Returns a view [rows, columns] on the memory of the solver, with the rows close together: costs that are
   * written here need no copy in `solve`. Valid until the next call of `costs` or `solve`; `solve` leaves
   * other values in it.
   * @throws RangeError if the sizes exceed `maxRows` or `maxColumns`.
   */
  costs(rows: number, columns: number): Float32Array;
  /**
   * Finds an assignment of least (or greatest) sum: see `solveAssignment`. `cost.data` may be the view that
   * `costs` returned.
   * @throws RangeError if the sizes exceed `maxRows` or `maxColumns`.
   */
  solve(cost: CostMatrix, options?: AssignmentOptions): AssignmentResult;
}
