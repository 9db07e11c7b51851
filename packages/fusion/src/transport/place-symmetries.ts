import { at } from "@isthmus/core";
import type { UnitFamily } from "./correspond.ts";
import { type CellPlan, type PlanOptions, solvePlan } from "./solve-plan.ts";
import type { UnitPlans } from "./unit-plans.ts";

/** Summary of the plan of one symmetry. */
export type PlacedSymmetry = Omit<CellPlan, "plan">;

/**
 * Finds the plans of a plain symmetry and all symmetries nested in it, from the costs of their units.
 *
 * Inner plans of all pairs of cells are found first; their costs are added to the costs of pairing the cells'
 * parents. The plan of a nested symmetry is the plan of the parents times the inner plans.
 *
 * @param costs - costs of the units of each symmetry, by index, `[source units, target units]`
 */
export function placeSymmetries(
  root: number,
  { families, costs, options }: PlacingProblem,
  plans: UnitPlans,
): Map<number, PlacedSymmetry> {
  const placed = new Map<number, PlacedSymmetry>();
  const solved = solveCells(root, { families, costs, options });
  compose(solved, Float64Array.of(1), { plans, placed });
  return placed;
}

/** Symmetries with their costs, and options for finding plans. */
export interface PlacingProblem {
  /** All symmetries and followers of both networks, by index. */
  readonly families: readonly UnitFamily[];
  /**
   * Costs of the units by index of the symmetry, `[source units, target units]`; symmetries that are left out
   * cost nothing.
   */
  readonly costs: ReadonlyMap<number, Float64Array>;
  /** Kind of the plans, and settings of soft ones. */
  readonly options: PlanOptions;
}

/** Plans of all pairs of cells of a symmetry, and of the symmetries nested in it. */
interface SolvedSymmetry {
  readonly symmetry: number;
  readonly family: UnitFamily;
  /** Plan of each pair of cells, `[source cells, target cells]`. */
  readonly cells: readonly CellPlan[];
  readonly nested: readonly SolvedSymmetry[];
}

function solveCells(symmetry: number, problem: PlacingProblem): SolvedSymmetry {
  const { families, costs, options } = problem;
  const family = at(families, symmetry, "symmetry");
  const { source, target } = family;
  const total = Float64Array.from(costs.get(symmetry) ?? new Float64Array(source.count * target.count));
  const nested = families.flatMap(({ symmetry: child, above }) =>
    child !== undefined && above[0] === symmetry ? [solveCells(child, problem)] : [],
  );
  for (const child of nested) {
    child.cells.forEach(({ cost }, pair) => {
      const [unit, other] = parentsOfPair(child.family, family, pair);
      total[unit * target.count + other] = at(total, unit * target.count + other, "cost") + cost;
    });
  }
  const [rows, columns] = [source.count / source.parents.length, target.count / target.parents.length];
  const cells = Array.from({ length: source.parents.length * target.parents.length }, (_, pair) => {
    const [a, b] = cellsOfPair(family, pair);
    const data = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      const begin = (a * rows + i) * target.count + b * columns;
      data.set(total.subarray(begin, begin + columns), i * columns);
    }
    return solvePlan({ data, rows, columns }, options);
  });
  return { symmetry, family, cells, nested };
}

function cellsOfPair({ target }: UnitFamily, pair: number): [number, number] {
  return [Math.floor(pair / target.parents.length), pair % target.parents.length];
}

/** Finds the parents of a pair of cells, as positions among the units of the family above. */
function parentsOfPair(family: UnitFamily, above: UnitFamily, pair: number): [number, number] {
  const [a, b] = cellsOfPair(family, pair);
  const unit = at(at(family.source.parents, a, "cell"), 0, "parent") - above.source.firstUnit;
  const other = at(at(family.target.parents, b, "cell"), 0, "parent") - above.target.firstUnit;
  return [unit, other];
}

/**
 * Composes the plans of cells to the plan of a symmetry and of all symmetries nested in it.
 * @param masses - mass of each pair of cells, `[source cells, target cells]`
 */
function compose(
  { symmetry, family, cells, nested }: SolvedSymmetry,
  masses: Float64Array,
  out: { readonly plans: UnitPlans; readonly placed: Map<number, PlacedSymmetry> },
): void {
  const { source, target } = family;
  const [rows, columns] = [source.count / source.parents.length, target.count / target.parents.length];
  const plan = new Float64Array(source.count * target.count);
  const summary = { cost: 0, iterations: 0, marginalError: 0, isConverged: true };
  cells.forEach((cell, pair) => {
    const mass = at(masses, pair, "mass");
    const [a, b] = cellsOfPair(family, pair);
    for (let i = 0; i < rows; i++) {
      const begin = (a * rows + i) * target.count + b * columns;
      for (let j = 0; j < columns; j++) plan[begin + j] = mass * at(cell.plan, i * columns + j, "mass");
    }
    summary.cost += mass * cell.cost;
    summary.iterations = Math.max(summary.iterations, cell.iterations);
    summary.marginalError = Math.max(summary.marginalError, cell.marginalError);
    summary.isConverged &&= cell.isConverged;
  });
  out.plans.place(symmetry, plan);
  out.placed.set(symmetry, summary);
  for (const child of nested) {
    const ofPairs = child.cells.map((_, pair) => {
      const [unit, other] = parentsOfPair(child.family, family, pair);
      return at(plan, unit * target.count + other, "mass");
    });
    compose(child, Float64Array.from(ofPairs), out);
  }
}
