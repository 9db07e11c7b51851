import { assertWholeOptions, InputError, OutOfRangeError, resolveOptions, sumOf } from "@isthmus/core";
import {
  absorbFactors,
  fillPlan,
  largestLog,
  rowError,
  scaleColumns,
  scaleRows,
  sumRows,
  updateColumnPotentials,
  updateRowPotentials,
} from "./kernels/scaling.ts";

/** Options of {@link sinkhorn}. */
export interface SinkhornOptions {
  /** Number of rows of the cost matrix. */
  readonly rows: number;
  /** Number of columns of the cost matrix. */
  readonly columns: number;
  /** Mass of each row, positive, `[rows]`; masses are divided by their sum. @defaultValue all equal */
  readonly rowWeights?: Float64Array | undefined;
  /** Mass of each column, positive, `[columns]`; masses are divided by their sum. @defaultValue all equal */
  readonly columnWeights?: Float64Array | undefined;
  /** Weight of the entropy, positive, in the unit of costs; a smaller weight gives a sharper plan. */
  readonly regularization: number;
  /** Marginal error (see {@link SinkhornResult}) at which the search ends, positive. @defaultValue 1e-9 */
  readonly tolerance?: number;
  /**
   * Largest number of updates of all potentials, at least 1, after which the search ends without convergence.
   * @defaultValue 10000
   */
  readonly maxIterations?: number;
}

/** Defaults of {@link sinkhorn}. */
const SINKHORN_DEFAULTS: Required<Omit<SinkhornOptions, "rows" | "columns" | "regularization">> = {
  rowWeights: undefined,
  columnWeights: undefined,
  tolerance: 1e-9,
  maxIterations: 10_000,
};

/** Result of {@link sinkhorn}. */
export interface SinkhornResult {
  /** Mass from each row to each column, `[rows, columns]`; its sum is 1. */
  readonly plan: Float64Array;
  /** Potentials f of the rows, `[rows]`: `plan[i, j] = exp((f[i] + g[j] - cost[i, j]) / regularization)`. */
  readonly rowDuals: Float64Array;
  /** Potentials g of the columns, `[columns]`. */
  readonly columnDuals: Float64Array;
  /** Cost of the plan without its entropy: the sum of `plan * cost`. */
  readonly objective: number;
  /** Sum of the distances of row and column sums of the plan from the weights. */
  readonly marginalError: number;
  /** Number of updates of all potentials. */
  readonly iterations: number;
  /** Reason why the search ended: the marginal error is small enough, or the iterations are used up. */
  readonly status: "converged" | "maxIterations";
}

/**
 * Solves optimal transport with an entropy (Cuturi 2013): finds the plan with given row and column sums that
 * minimises `sum plan cost + regularization sum plan (log plan - 1)`.
 *
 * Potentials are kept as logarithms, and the kernel is recomputed from them whenever the factors of an
 * iteration grow large, so that any regularization works without overflow (Schmitzer 2019, algorithm 2). The
 * search starts from a large regularization and lowers it step by step (algorithm 3). All arithmetic is in
 * f64.
 *
 * @param cost - finite costs, `[rows, columns]` row-major
 * @throws OutOfRangeError if a size does not fit the costs, or an option is out of its range
 * @throws InputError if a cost is not finite
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sinkhorn } from "@isthmus/fusion";
 *
 * // Two units and four: the first two of the four are like the first.
 * const cost = Float64Array.of(0, 0, 1, 1, 1, 1, 0, 0);
 * const { plan, status } = sinkhorn(cost, { rows: 2, columns: 4, regularization: 0.01 });
 * assert.equal(status, "converged");
 * assert.deepEqual(Array.from(plan, (mass) => Math.round(100 * mass)), [25, 25, 0, 0, 0, 0, 25, 25]);
 * ```
 */
export function sinkhorn(cost: Float64Array | Float32Array, options: SinkhornOptions): SinkhornResult {
  const { rows, columns, regularization, ...rest } = options;
  const resolved = resolveOptions("transport units", SINKHORN_DEFAULTS, rest, REQUIRED);
  assertOptions({ ...resolved, rows, columns, regularization });
  assertCost(cost, rows, columns);
  const a = normalizeWeights("rowWeights", resolved.rowWeights, rows);
  const b = normalizeWeights("columnWeights", resolved.columnWeights, columns);
  const search = new Scaling(Float64Array.from(cost), a, b);
  for (const epsilon of schedule(cost, regularization)) {
    const isLast = epsilon === regularization;
    // Before the last step potentials only need to be near: more iterations there would be lost.
    const tolerance = isLast ? resolved.tolerance : Math.max(resolved.tolerance, COARSE_TOLERANCE);
    search.run(epsilon, { tolerance, maxIterations: resolved.maxIterations });
  }
  return search.result(resolved.tolerance);
}

const REQUIRED = ["rows", "columns", "regularization"];

/** Factor by which the regularization is lowered from step to step; it was not tuned. */
const STEP = 4;

/** Marginal error at which a step before the last ends. */
const COARSE_TOLERANCE = 1e-3;

/**
 * Largest logarithm of a factor before it is absorbed by the potentials; products stay far from the limits of
 * f64.
 */
const LARGEST_LOG = 100;

/** Lists the regularizations of all steps, from the range of the costs down to the last. */
function schedule(cost: Float64Array | Float32Array, last: number): number[] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of cost) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const steps: number[] = [last];
  for (let epsilon = last * STEP; epsilon < most - least; epsilon *= STEP) steps.unshift(epsilon);
  return steps;
}

/** State of a search. */
class Scaling {
  readonly #cost: Float64Array;
  readonly #a: Float64Array;
  readonly #b: Float64Array;
  readonly #f: Float64Array;
  readonly #g: Float64Array;
  readonly #u: Float64Array;
  readonly #v: Float64Array;
  readonly #plan: Float64Array;
  readonly #sums: Float64Array;
  #iterations = 0;

  constructor(cost: Float64Array, a: Float64Array, b: Float64Array) {
    this.#cost = cost;
    this.#a = a;
    this.#b = b;
    this.#f = new Float64Array(a.length);
    this.#g = new Float64Array(b.length);
    this.#u = new Float64Array(a.length).fill(1);
    this.#v = new Float64Array(b.length).fill(1);
    this.#plan = new Float64Array(cost.length);
    this.#sums = new Float64Array(a.length);
  }

  /**
   * Iterates with one regularization until rows meet their weights; columns meet theirs after each update.
   */
  run(
    epsilon: number,
    { tolerance, maxIterations }: Required<Pick<SinkhornOptions, "tolerance" | "maxIterations">>,
  ): void {
    const [f, g, u, v, plan] = [this.#f, this.#g, this.#u, this.#v, this.#plan];
    this.#updatePotentials(epsilon);
    while (this.#rowError() > tolerance && this.#iterations < maxIterations) {
      this.#iterations++;
      scaleRows(this.#sums, this.#a, u);
      scaleColumns(plan, u, this.#b, v);
      const log = Math.max(largestLog(u), largestLog(v));
      if (log <= LARGEST_LOG) continue;
      if (log < Number.POSITIVE_INFINITY) {
        absorbFactors(f, u, epsilon);
        absorbFactors(g, v, epsilon);
      }
      this.#updatePotentials(epsilon);
    }
    absorbFactors(f, u, epsilon);
    absorbFactors(g, v, epsilon);
    fillPlan(this.#cost, f, g, plan, epsilon);
  }

  /** Sums the rows, which the next iteration needs as well, and returns their distance from the weights. */
  #rowError(): number {
    sumRows(this.#plan, this.#v, this.#sums);
    return rowError(this.#sums, this.#u, this.#a);
  }

  /**
   * Makes one iteration by log-sum-exp, which cannot overflow, and computes the kernel from the new
   * potentials.
   */
  #updatePotentials(epsilon: number): void {
    this.#iterations++;
    updateRowPotentials(this.#cost, this.#g, this.#a.map(Math.log), this.#f, epsilon);
    updateColumnPotentials(this.#cost, this.#f, this.#b.map(Math.log), this.#g, epsilon);
    this.#u.fill(1);
    this.#v.fill(1);
    fillPlan(this.#cost, this.#f, this.#g, this.#plan, epsilon);
  }

  result(tolerance: number): SinkhornResult {
    const plan = this.#plan;
    const columns = this.#b.length;
    let objective = 0;
    const columnSums = new Float64Array(columns);
    plan.forEach((mass, k) => {
      objective += mass * (this.#cost[k] as number);
      columnSums[k % columns] = (columnSums[k % columns] as number) + mass;
    });
    const columnError = this.#b.reduce(
      (sum, weight, j) => sum + Math.abs(weight - (columnSums[j] as number)),
      0,
    );
    const marginalError = this.#rowError() + columnError;
    return {
      plan,
      rowDuals: this.#f,
      columnDuals: this.#g,
      objective,
      marginalError,
      iterations: this.#iterations,
      status: marginalError <= tolerance ? "converged" : "maxIterations",
    };
  }
}

function normalizeWeights(name: string, weights: Float64Array | undefined, count: number): Float64Array {
  const masses = weights ?? new Float64Array(count).fill(1);
  const bad = masses.findIndex((mass) => !(mass > 0 && mass < Number.POSITIVE_INFINITY));
  if (masses.length !== count || bad >= 0) {
    const got = bad >= 0 ? `number ${bad} is ${masses[bad]}` : `there are ${masses.length}`;
    throw new OutOfRangeError(
      `Cannot transport units as ${name} must have ${count} positive numbers: ${got}; leave out rows and columns without mass`,
    );
  }
  const sum = sumOf(masses);
  return masses.map((mass) => mass / sum);
}

function assertOptions(
  options: Pick<
    Required<SinkhornOptions>,
    "rows" | "columns" | "regularization" | "tolerance" | "maxIterations"
  >,
): void {
  assertWholeOptions("transport units", options, { rows: 1, columns: 1, maxIterations: 1 });
  for (const name of ["regularization", "tolerance"] as const) {
    const value = options[name];
    if (value > 0 && value < Number.POSITIVE_INFINITY) continue;
    throw new OutOfRangeError(
      `Cannot transport units as "${name}" must be a positive number: it is ${value}`,
    );
  }
}

function assertCost(cost: Float64Array | Float32Array, rows: number, columns: number): void {
  if (cost.length !== rows * columns) {
    throw new OutOfRangeError(
      `Cannot transport units as a cost matrix [${rows}, ${columns}] has ${rows * columns} elements: got ${cost.length}`,
    );
  }
  const bad = cost.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new InputError(
    `Cannot transport units as costs must be finite: row ${Math.floor(bad / columns)}, column ${bad % columns} is ${cost[bad]}`,
    { input: "cost" },
  );
}
