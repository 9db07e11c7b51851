/** Settings of one assignment. */
export interface AssignmentOptions {
  /** Whether to look for the largest sum instead of the smallest. @defaultValue false */
  readonly maximize?: boolean | undefined;
  /**
   * Column duals [columns] of a similar matrix, from which the search starts. They change how long the solve
   * takes, never how good its result is. Used for square matrices only.
   */
  readonly duals?: Float64Array | undefined;
  /**
   * Whether to certify the result by one more pass over the matrix, which relies on nothing found before.
   * Without this pass a row counts as proven if the bound of its candidate list proves it. @defaultValue
   * true, but false if the search starts from `duals`, as the pass would be half the work
   */
  readonly verify?: boolean | undefined;
}

/** Settings used if the caller gives none. */
export const ASSIGNMENT_DEFAULTS: Readonly<{
  maximize: boolean;
  duals: Float64Array | undefined;
  verify: boolean | undefined;
}> = Object.freeze({ maximize: false, duals: undefined, verify: undefined });

/** Statistics of the work that a solve took. */
export interface AssignmentStats {
  /** Bids of the auctions. */
  readonly bids: number;
  /** Candidate lists built. */
  readonly listBuilds: number;
  /** Shortest-path searches on lists. */
  readonly searches: number;
  /** Rows that those searches had to relax as a whole. */
  readonly wholeRows: number;
  /** Whether whole rows were searched throughout: small matrices, or ones on which lists do not pay. */
  readonly dense: boolean;
}

/** An assignment with the dual variables that prove how good it is. */
export interface AssignmentResult {
  /** Column of each row [rows]; -1 for the rows left over when there are more rows than columns. */
  readonly assignment: Int32Array;
  /**
   * Row duals u [rows]. When minimising, u[i] + v[j] <= cost(i, j) up to rounding, with equality on the
   * assignment; when maximising, >=. Rows left over have u = 0.
   */
  readonly rowDuals: Float64Array;
  /**
   * Column duals v [columns]: see `rowDuals`; columns left over have v = 0. Pass them on as `duals` to solve
   * a similar matrix.
   */
  readonly columnDuals: Float64Array;
  /** Sum of the costs of the assignment, added in f64. */
  readonly objective: number;
  /**
   * Certified distance from the optimum: the objective against its dual bound, both in f64. Rounding may
   * leave a trace.
   */
  readonly gap: number;
  /**
   * `optimal`: the gap is at most 1e-14 of the sum of absolute costs. `inexact`: rounding did not allow that;
   * the gap still holds.
   */
  readonly status: "optimal" | "inexact";
  /** Statistics of the work that the solve took. */
  readonly stats: AssignmentStats;
}
