import { at, sizeOf, stridesOf } from "@isthmus/core";
import type { CombinedRuns } from "../kernels/combine.ts";
import { type AxisPlan, SIDES } from "../layout/axis-plan.ts";

/** Plan of the axes of a weight that change. */
export interface PlannedWeight {
  /** Shape of A's weight to which the axes refer. */
  readonly view: readonly number[];
  /** Plans of the axes that change, by axis of `view`. */
  readonly plans: ReadonlyMap<number, AxisPlan>;
  /** Axes over which the layer sums. */
  readonly contracted: ReadonlySet<number>;
}

/**
 * Computes for each run of elements of a weight of the wide network the shares of A's and B's weights.
 *
 * A unit that is kept apart keeps its weights from units of its network, and has zero weights from separate
 * units of the other. A merged unit has the mean of both networks' weights from merged units, and half of a
 * network's weight from its separate units, so that it computes the mean of the two networks.
 */
export function planRuns({ view, plans, contracted }: PlannedWeight): CombinedRuns {
  const last = Math.max(-1, ...plans.keys());
  const strides = stridesOf(view);
  let runs: Runs = {
    offsets: Int32Array.of(0),
    outputs: Uint8Array.of(SIDES.both),
    common: Uint8Array.of(SIDES.both),
  };
  for (let axis = 0; axis <= last; axis++) {
    const places = placesOf(plans.get(axis), at(view, axis, "axis"));
    runs = crossWith(runs, places, at(strides, axis, "axis"), !contracted.has(axis));
  }
  const shares = new Float32Array(2 * runs.offsets.length);
  for (let run = 0; run < runs.offsets.length; run++) {
    const share = runs.outputs[run] === SIDES.both ? 0.5 : 1;
    const common = at(runs.common, run, "run");
    if ((common & SIDES.a) !== 0) shares[2 * run] = share;
    if ((common & SIDES.b) !== 0) shares[2 * run + 1] = share;
  }
  return { offsets: runs.offsets, shares, length: sizeOf(view.slice(last + 1)) };
}

/** Runs over the first axes of a weight, and the networks to which they belong. */
interface Runs {
  readonly offsets: Int32Array;
  /** Networks whose outputs the run computes: the sides that all kept axes have in common. */
  readonly outputs: Uint8Array;
  /** Networks whose weights the run can have: the sides that all axes have in common. */
  readonly common: Uint8Array;
}

type Places = Pick<AxisPlan, "from" | "side">;

/** Returns the places of an axis, by its plan or unchanged if it has none. */
function placesOf(plan: AxisPlan | undefined, extent: number): Places {
  if (plan !== undefined) return plan;
  return {
    from: Int32Array.from({ length: extent }, (_, i) => i),
    side: new Uint8Array(extent).fill(SIDES.both),
  };
}

/** Splits each run by the places of one more axis. */
function crossWith(runs: Runs, { from, side }: Places, stride: number, isKept: boolean): Runs {
  const count = runs.offsets.length * from.length;
  const crossed = {
    offsets: new Int32Array(count),
    outputs: new Uint8Array(count),
    common: new Uint8Array(count),
  };
  let to = 0;
  for (let run = 0; run < runs.offsets.length; run++) {
    for (let place = 0; place < from.length; place++, to++) {
      const whose = side[place] as number;
      crossed.offsets[to] = (runs.offsets[run] as number) + stride * (from[place] as number);
      crossed.outputs[to] = (runs.outputs[run] as number) & (isKept ? whose : SIDES.both);
      crossed.common[to] = (runs.common[run] as number) & whose;
    }
  }
  return crossed;
}
