import { InputError, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { AssignmentResult } from "./assignment-result.ts";
import { assertCostMatrix, type CostMatrix, strideOf } from "./cost-matrix.ts";
import { gapOf, type Side } from "./kernels/gap.ts";

/** Options of {@link certifyAssignment}: the problem that a result claims to solve. */
export interface CertifyAssignmentOptions {
  /** Whether it was solved for the largest sum. @defaultValue false */
  readonly maximize?: boolean | undefined;
}

/** Settings used if the caller gives none. */
const CERTIFY_ASSIGNMENT_DEFAULTS: Readonly<{ maximize: boolean }> = Object.freeze({
  maximize: false,
});

/** The certificate that the duals of a result give. */
export interface AssignmentCertificate {
  /** Sum of the costs of the assignment. */
  readonly objective: number;
  /** Bound of the sums of all assignments: none is smaller, or with `maximize` none is greater. */
  readonly bound: number;
  /**
   * Distance of the objective from the bound, summed term by term: 0, or a trace of rounding, if the
   * assignment is optimal.
   */
  readonly gap: number;
}

/**
 * Checks an assignment against the definition: that it is a complete matching of allowed edges, and how far
 * from the optimum it can be at most, by weak duality. Uses nothing but the costs, the assignment and the
 * duals of the longer side (the columns, if there are at least as many as rows), all in f64.
 *
 * For any duals v of the columns, every matching costs at least `sum_i min_j (cost(i, j) - v[j])` plus the v
 * of the columns it uses, which are all of them in a square problem and otherwise count as min(v, 0).
 * @throws InputError if the assignment is not a complete matching of allowed edges.
 * @throws OutOfRangeError if the lengths do not agree.
 */
export function certifyAssignment(
  cost: CostMatrix,
  result: Pick<AssignmentResult, "assignment" | "rowDuals" | "columnDuals">,
  options?: CertifyAssignmentOptions,
): AssignmentCertificate {
  const { maximize } = resolveOptions("certify an assignment", CERTIFY_ASSIGNMENT_DEFAULTS, options);
  assertCostMatrix(cost);
  assertLengths(cost, result);
  const side = sideOf(cost, result, maximize);
  const objective = objectiveOf(side);
  const gap = gapOf(side);
  return {
    objective: maximize ? 0 - objective : objective,
    bound: maximize ? gap - objective : objective - gap,
    gap,
  };
}

function assertLengths(
  cost: CostMatrix,
  result: Pick<AssignmentResult, "assignment" | "rowDuals" | "columnDuals">,
): void {
  for (const [name, length, size] of [
    ["assignment", result.assignment.length, cost.rows],
    ["rowDuals", result.rowDuals.length, cost.rows],
    ["columnDuals", result.columnDuals.length, cost.columns],
  ] as const) {
    if (length === size) continue;
    throw new OutOfRangeError(
      `Cannot certify an assignment of ${cost.rows} x ${cost.columns} as ${name} must have ${size} elements: there are ${length}`,
    );
  }
}

function sideOf(
  cost: CostMatrix,
  result: Pick<AssignmentResult, "assignment" | "rowDuals" | "columnDuals">,
  maximize: boolean,
): Side {
  const { rows, columns, data } = cost;
  const stride = strideOf(cost);
  const sign = maximize ? -1 : 1;
  const at = (i: number, j: number): number => sign * (data[i * stride + j] ?? Number.NaN);
  if (rows > columns) {
    return {
      short: columns,
      long: rows,
      at: (s, l) => at(l, s),
      duals: result.rowDuals.map((u) => sign * u),
      partner: partnersOfColumns(result.assignment, columns),
    };
  }
  return {
    short: rows,
    long: columns,
    at,
    duals: result.columnDuals.map((v) => sign * v),
    partner: result.assignment,
  };
}

function partnersOfColumns(assignment: Int32Array, columns: number): Int32Array {
  const partner = new Int32Array(columns).fill(-1);
  assignment.forEach((j, i) => {
    if (j === -1) return;
    if (j < 0 || j >= columns || partner[j] !== -1) throw notAMatching(`row ${i} has column ${j}`);
    partner[j] = i;
  });
  return partner;
}

/** Sums the costs, after checking that they belong to a complete matching. */
function objectiveOf(side: Side): number {
  const taken = new Uint8Array(side.long);
  let sum = 0;
  side.partner.forEach((l, s) => {
    if (l < 0 || l >= side.long || taken[l] === 1) throw notAMatching(`number ${s} is matched with ${l}`);
    taken[l] = 1;
    const c = side.at(s, l);
    if (!Number.isFinite(c)) throw notAMatching(`the cost of its edge (${s}, ${l}) is ${c}`);
    sum += c;
  });
  return sum;
}

function notAMatching(detail: string): InputError {
  return new InputError(
    `Cannot certify an assignment as it must match every one of the shorter side with one of its own by an allowed edge: ${detail}`,
    { input: "assignment" },
  );
}
