import { assertFitsMemory, bytesForAssignment } from "./assignment-memory.ts";
import type { AssignmentOptions, AssignmentResult } from "./assignment-result.ts";
import type { AssignmentSolver } from "./assignment-solver.ts";
import { assertCostMatrix, type CostMatrix } from "./cost-matrix.ts";
import { createAssignmentSolver } from "./create-assignment-solver.ts";

/**
 * Most memory of a solver that is kept between calls: taking it again costs more than solving a matrix of
 * this size.
 */
const CACHED_BYTES = 2 ** 27;

let cached: AssignmentSolver | undefined;

/**
 * Solves the linear assignment problem exactly: gives every row of `cost` [rows, columns] a different column
 * (or, if there are more rows than columns, every column a different row), such that the sum of the costs is
 * the least, or with `maximize` the greatest.
 *
 * +Infinity (-Infinity when maximising) forbids an edge. The result carries dual variables and the gap they
 * certify. Deterministic: equal input gives equal output, also among ties.
 *
 * Method: candidate lists over the dense matrix with bounds that prove each answer, an auction with
 * eps-scaling (Bertsekas, 1988) after augmenting row reduction, shortest augmenting paths for the rest
 * (Jonker and Volgenant, 1987), in f64, then a certificate.
 * @throws TypeError if an option is unknown or the data are not a Float32Array.
 * @throws RangeError if a size does not fit the data or the duals, or needs more than 4 GiB.
 * @throws InputError if a cost is NaN or the infinity that does not forbid, or if forbidden edges leave no
 *   complete matching.
 */
export function solveAssignment(cost: CostMatrix, options?: AssignmentOptions): AssignmentResult {
  assertCostMatrix(cost);
  assertFitsMemory(cost.rows, cost.columns);
  return solverFor(cost.rows, cost.columns).solve(cost, options);
}

/**
 * Returns the cached solver if it is large enough, otherwise a new one, which replaces it unless it is too
 * large to keep.
 */
function solverFor(rows: number, columns: number): AssignmentSolver {
  if (cached !== undefined && rows <= cached.maxRows && columns <= cached.maxColumns) return cached;
  const maxRows = Math.max(rows, cached?.maxRows ?? 0);
  const maxColumns = Math.max(columns, cached?.maxColumns ?? 0);
  if (bytesForAssignment(maxRows, maxColumns) > CACHED_BYTES) return createAssignmentSolver(rows, columns);
  cached = createAssignmentSolver(maxRows, maxColumns);
  return cached;
}
