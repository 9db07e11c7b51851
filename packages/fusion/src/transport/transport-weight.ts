import { at, sizeOf } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import type { MovedAxis, MovedWeight } from "./correspond.ts";
import { copySlices, gatherRows, scatterRows } from "./kernels/plan-sums.ts";
import type { UnitTransports } from "./unit-plans.ts";

/** Elements of a weight, with its extents. */
export interface WeightValues {
  /** Elements in f64, row-major. */
  readonly data: Float64Array;
  /** Extents of the axes, whose product is the number of elements. */
  readonly extents: readonly number[];
}

/** Checks whether the symmetries of all units on an axis have plans. */
export function isPlaced({ groups }: MovedAxis, plans: UnitTransports): boolean {
  return groups.every(({ family }) => family === undefined || plans.transportOf(family) !== undefined);
}

/**
 * Transports a weight of the source along its axes to the widths of the target. Along axes on which a layer
 * computes units, it takes means of units; along axes over which a layer sums, weights are shared out.
 *
 * @param except - axis that does not change; the units on all others must have plans
 */
export function transportWeight(
  data: Float64Array,
  weight: MovedWeight,
  plans: UnitTransports,
  except?: MovedAxis,
): WeightValues {
  let moved: WeightValues = { data, extents: weight.source };
  for (const axis of weight.axes) if (axis !== except) moved = transportAxis(moved, axis, { weight, plans });
  return moved;
}

function transportAxis(
  { data, extents }: WeightValues,
  { axis, isSummed, groups }: MovedAxis,
  { weight, plans }: { readonly weight: MovedWeight; readonly plans: UnitTransports },
): WeightValues {
  const [from, to] = [at(extents, axis, "axis"), at(weight.target, axis, "axis")];
  const inner = sizeOf(extents.slice(axis + 1));
  const out = new Float64Array((data.length / from) * to);
  for (const { family, source, target } of groups) {
    const transport = family === undefined ? undefined : plans.transportOf(family);
    if (transport === undefined) {
      copySlices(data, out, [source, target], { extents: [from, to], inner });
      continue;
    }
    const rows = gatherRows(data, source, { extent: from, inner });
    const panel = createMatrix(source.length, rows.length / source.length, rows);
    const matrix = isSummed ? transport.shares : transport.means;
    const moved = multiply(matrix, panel, { transposeLeft: true });
    scatterRows(moved.data as Float64Array, target, { extent: to, inner }, out);
  }
  return { data: out, extents: extents.map((extent, i) => (i === axis ? to : extent)) };
}
