import { at, sizeOf, stridesOf } from "@isthmus/core";
import type { CombinedRuns } from "../kernels/combine.ts";
import { type AxisPlan, SIDES } from "../layout/axis-plan.ts";

/** The axes of a weight that change, and what they are to it. */
export interface PlannedWeight {
  /** Shape of A's weight that the axes refer to. */
  readonly view: readonly number[];
  readonly plans: ReadonlyMap<number, AxisPlan>;
  /** Axes that the layer sums over. */
  readonly contracted: ReadonlySet<number>;
}

/**
 * Says for each run of elements of a weight of the wide network how it is made of A's and B's.
 *
 * What an own unit reads of its own network it reads as before; what it would read of the other is zero.
 * A merged unit has the mean of both networks' weights, and half of either's weight of a unit that is kept
 * apart: so it computes the mean of what the two networks compute.
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

/** Runs over the first axes of a weight, and whose they are. */
interface Runs {
  readonly offsets: Int32Array;
  /** Whose outputs the run computes: the sides that all kept axes have in common. */
  readonly outputs: Uint8Array;
  /** Whose weights it can have: the sides that all axes have in common. */
  readonly common: Uint8Array;
}

type Places = Pick<AxisPlan, "from" | "side">;

/** Returns the places of an axis, planned or as it is. */
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
