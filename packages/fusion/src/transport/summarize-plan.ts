import type { UnitFamily } from "./correspond.ts";
import { countPartners, type Partners } from "./kernels/partners.ts";
import type { PlacedSymmetry } from "./place-symmetries.ts";

/** Plan of one symmetry of {@link fuseNetworks}, with measures of its sharpness and quality. */
export interface FusedSymmetry {
  /** Name of the symmetry. */
  readonly name: string;
  /** Number of units in each network. */
  readonly units: { readonly source: number; readonly target: number };
  /** Mass from each unit of the source to each unit of the target, `[source, target]`; its sum is 1. */
  readonly plan: Float64Array;
  /** Sum of the costs, weighted by the plan, in the unit of the method. */
  readonly cost: number;
  /** Effective numbers of units with which each unit is matched, `exp(entropy)`: 1 for a one-to-one match. */
  readonly partners: { readonly source: Partners; readonly target: Partners };
  /** Number of iterations of a soft plan; 0 for hard plans. */
  readonly iterations: number;
  /** Distance of the sums of a soft plan from equal masses; see `sinkhorn`. */
  readonly marginalError: number;
  /** Whether all plans of the symmetry have converged; true for hard plans. */
  readonly isConverged: boolean;
}

/** Describes the plan of a symmetry. */
export function summarizePlan(
  { name, source, target }: UnitFamily,
  plan: Float64Array,
  placed: PlacedSymmetry,
): FusedSymmetry {
  return {
    name,
    units: { source: source.count, target: target.count },
    plan,
    partners: {
      source: countPartners(plan, {
        units: source.count,
        others: target.count,
        stride: target.count,
        step: 1,
      }),
      target: countPartners(plan, {
        units: target.count,
        others: source.count,
        stride: 1,
        step: target.count,
      }),
    },
    ...placed,
  };
}
