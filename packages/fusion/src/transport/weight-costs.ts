import { at, entry, sizeOf } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import type { Correspondence, MovedAxis, MovedWeight } from "./correspond.ts";
import { addAngles, addDistances } from "./kernels/pair-costs.ts";
import { gatherRows, squaredRows } from "./kernels/plan-sums.ts";
import { isPlaced, transportWeight } from "./transport-weight.ts";
import type { UnitPlans } from "./unit-plans.ts";

/** Parameters of two networks, flat, by name. */
export interface ParameterPair {
  /** Parameters of the source, in f64. */
  readonly source: ReadonlyMap<string, Float64Array>;
  /** Parameters of the target, in f64. */
  readonly target: ReadonlyMap<string, Float64Array>;
}

/**
 * Computes the difference of each unit of the source from each unit of the target by their weights,
 * `[source units, target units]`, with all other axes transported to the target.
 *
 * Weights that compute a unit count by half their squared distance, which differs from the cross products of
 * weight matching (Ainsworth et al. 2023) by terms that no one-to-one plan changes. Weights that sum over a
 * unit count by `|a| |b| - a b`, because the outgoing weights of a unit may be divided among its copies in
 * any proportion. Weights with an axis whose units have no plans yet are left out.
 */
export function weightCosts(
  { families, weights }: Correspondence,
  { source, target }: ParameterPair,
  plans: UnitPlans,
  symmetry: number,
): Float64Array {
  const { source: from, target: to } = at(families, symmetry, "symmetry");
  const costs = new Float64Array(from.count * to.count);
  for (const [name, weight] of weights) {
    if (weight.role !== "parameter") continue;
    for (const axis of weight.axes) {
      const voting = axis.groups.filter(
        ({ family }) => family !== undefined && families[family]?.voter === symmetry,
      );
      const isReady = weight.axes.every((other) => other === axis || isPlaced(other, plans));
      if (voting.length === 0 || !isReady) continue;
      const a = entry(source, name, "weight");
      const b = entry(target, name, "weight");
      addAxisCosts([a, b], { weight, axis: { ...axis, groups: voting }, plans, original: axis }, costs);
    }
  }
  return costs;
}

interface AxisOfWeight {
  readonly weight: MovedWeight;
  /** The axis, with the groups whose units vote. */
  readonly axis: MovedAxis;
  readonly original: MovedAxis;
  readonly plans: UnitPlans;
}

function addAxisCosts(
  [a, b]: readonly [Float64Array, Float64Array],
  { weight, axis: { axis, groups, isSummed }, plans, original }: AxisOfWeight,
  costs: Float64Array,
): void {
  const moved = transportWeight(a, weight, plans, original);
  const inner = sizeOf(weight.target.slice(axis + 1));
  for (const { source, target } of groups) {
    const rowsOfA = gatherRows(moved.data, source, { extent: at(weight.source, axis, "axis"), inner });
    const rowsOfB = gatherRows(b, target, { extent: at(weight.target, axis, "axis"), inner });
    const width = rowsOfA.length / source.length;
    const left = createMatrix(source.length, width, rowsOfA);
    const right = createMatrix(target.length, width, rowsOfB);
    const products = multiply(left, right, { transposeRight: true }).data as Float64Array;
    const norms = [squaredRows(rowsOfA, width), squaredRows(rowsOfB, width)] as const;
    // A copy carries this share of the outgoing weights on average, so that they weigh as the target's do.
    if (isSummed) addAngles(products, norms, source.length / target.length, costs);
    else addDistances(products, norms, costs);
  }
}
