import { at } from "@isthmus/core";
import { solveAssignment } from "@isthmus/weight-matching";
import { sinkhorn } from "./sinkhorn.ts";

/**
 * Kinds of plans. `hard` assigns every unit of the wider network to a similar unit of the narrower one, at
 * least one to each, at the least total cost; `balanced` does so with equally many for each, as far as
 * possible; `soft` makes every unit a mixture, by entropic transport.
 */
export const PLAN_KINDS = ["hard", "balanced", "soft"] as const;

/** One of {@link PLAN_KINDS}. */
export type PlanKind = (typeof PLAN_KINDS)[number];

/** Options of {@link solvePlan}. */
export interface PlanOptions {
  /** Kind of the plan. */
  readonly plan: PlanKind;
  /** Entropy of soft plans, as a share of the range of the costs. */
  readonly regularization: number;
  /** Marginal error at which a soft plan has converged, positive. */
  readonly tolerance: number;
  /** Largest number of iterations of a soft plan, after which it is taken without convergence. */
  readonly maxIterations: number;
}

/** Costs of all pairs of units. */
export interface PairCosts {
  /** Cost of each pair, `[rows, columns]`. */
  readonly data: Float64Array;
  /** Number of units of the source. */
  readonly rows: number;
  /** Number of units of the target. */
  readonly columns: number;
}

/** Plan of one cell of units. */
export interface CellPlan {
  /** Mass of each pair, `[rows, columns]`; the sum is 1. */
  readonly plan: Float64Array;
  /** Sum of the costs, weighted by the plan. */
  readonly cost: number;
  /** Number of iterations of a soft plan; 0 for hard plans. */
  readonly iterations: number;
  /** Distance of the sums of a soft plan from equal masses, see `sinkhorn`; 0 for hard plans. */
  readonly marginalError: number;
  /** Whether the marginal error of a soft plan is within the tolerance; true for hard plans. */
  readonly isConverged: boolean;
}

/** Finds the plan of units from the costs of their pairs. */
export function solvePlan({ data, rows, columns }: PairCosts, options: PlanOptions): CellPlan {
  const unit = normalize(data);
  const solved =
    options.plan === "soft"
      ? softPlan(unit, { rows, columns, ...options })
      : hardPlan(unit, { rows, columns, isBalanced: options.plan === "balanced" });
  let cost = 0;
  for (let k = 0; k < data.length; k++) cost += at(solved.plan, k, "mass") * at(data, k, "cost");
  return { ...solved, cost };
}

/** Scales costs to [0, 1], so that a regularization means the same for all costs. */
function normalize(data: Float64Array): Float64Array {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const range = most - least || 1;
  return data.map((value) => (value - least) / range);
}

function softPlan(
  cost: Float64Array,
  options: Omit<PlanOptions, "plan"> & { readonly rows: number; readonly columns: number },
): Omit<CellPlan, "cost"> {
  const { rows, columns, regularization, tolerance, maxIterations } = options;
  const { plan, iterations, marginalError, status } = sinkhorn(cost, {
    rows,
    columns,
    regularization,
    tolerance,
    maxIterations,
  });
  return { plan, iterations, marginalError, isConverged: status === "converged" };
}

/**
 * Finds the cheapest plan in which every unit of the wider side has one partner, and every unit of the
 * narrower side at least one, or, if balanced, at least their average number of partners, rounded down. It is
 * exact: it solves an assignment in which each narrow unit has that many rows, and every further row stands
 * for the narrow unit that is cheapest for the column.
 */
function hardPlan(
  cost: Float64Array,
  {
    rows,
    columns,
    isBalanced,
  }: { readonly rows: number; readonly columns: number; readonly isBalanced: boolean },
): Omit<CellPlan, "cost"> {
  const isWidening = rows <= columns;
  const [narrow, wide] = isWidening ? [rows, columns] : [columns, rows];
  const costOf = (n: number, w: number) => at(cost, isWidening ? n * columns + w : w * columns + n, "cost");
  const cheapest = Int32Array.from({ length: wide }, (_, w) => {
    let best = 0;
    for (let n = 1; n < narrow; n++) if (costOf(n, w) < costOf(best, w)) best = n;
    return best;
  });
  const bound = isBalanced ? narrow * Math.floor(wide / narrow) : narrow;
  const unitOf = (row: number, w: number) => (row < bound ? row % narrow : at(cheapest, w, "unit"));
  const data = new Float32Array(wide * wide);
  for (let row = 0, k = 0; row < wide; row++) {
    for (let w = 0; w < wide; w++, k++) data[k] = costOf(unitOf(row, w), w);
  }
  const { assignment } = solveAssignment({ data, rows: wide, columns: wide });
  const plan = new Float64Array(cost.length);
  assignment.forEach((w, row) => {
    const n = unitOf(row, w);
    plan[isWidening ? n * columns + w : w * columns + n] = 1 / wide;
  });
  return { plan, iterations: 0, marginalError: 0, isConverged: true };
}
