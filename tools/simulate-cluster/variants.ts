import type { Cluster, Workload } from "./core/cluster.ts";
import { findLimit, type Limit } from "./core/find-limit.ts";
import { type Simulated, simulate } from "./core/simulate.ts";

/** A workload on a cluster that differs in one thing. */
export interface Variant extends Simulated {
  readonly workload: string;
  readonly title: string;
  /** What differs. */
  readonly differs: string;
  readonly workers: number;
  readonly speedup: number;
  readonly limit: Limit;
}

/** A change of a cluster, and how it is called. */
export type Change = readonly [differs: string, cluster: Omit<Cluster, "workers">];

/** Simulates a workload on clusters of one size that differ in one thing each. */
export function varyCluster(workload: Workload, changes: readonly Change[], workers: number): Variant[] {
  return changes.map(([differs, cluster]): Variant => {
    const sized = { ...cluster, workers };
    const simulated = simulate(workload, sized);
    const speedup = simulate(workload, { ...cluster, workers: 1 }).makespan / simulated.makespan;
    const limit = findLimit({ workload, cluster: sized, simulated, efficiency: speedup / workers });
    const { name, title } = workload;
    return { workload: name, title, differs, workers, ...simulated, speedup, limit };
  });
}
