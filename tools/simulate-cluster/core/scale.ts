import type { Cluster, Workload } from "./cluster.ts";
import { criticalPath } from "./critical-path.ts";
import { findLimit, type Limit } from "./find-limit.ts";
import { type Simulated, simulate } from "./simulate.ts";

/** A workload on a number of workers. */
export interface ScalePoint extends Simulated {
  readonly workers: number;
  /** Time of one worker over the time of these. */
  readonly speedup: number;
  /** Speed-up for each worker. */
  readonly efficiency: number;
  readonly limit: Limit;
}

/** How a workload scales. */
export interface Scaling {
  readonly workload: string;
  readonly title: string;
  readonly tasks: number;
  /** Seconds of the longest chain of tasks. */
  readonly criticalPath: number;
  readonly points: readonly ScalePoint[];
  /**
   * The first number of workers of which less than half is used, and why; missing if there is none.
   */
  readonly stops?: { readonly workers: number; readonly limit: readonly string[] };
}

/** Efficiency below which a cluster counts as no longer scaling. */
const SCALES = 0.5;

/** Numbers of workers that are simulated. */
export const WORKER_COUNTS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** Simulates a workload on clusters that differ in their number of workers alone, and finds their limits. */
export function scale(
  workload: Workload,
  cluster: Omit<Cluster, "workers">,
  counts: readonly number[] = WORKER_COUNTS,
): Scaling {
  const alone = simulate(workload, { ...cluster, workers: 1 }).makespan;
  const points = counts.map((workers): ScalePoint => {
    const sized = { ...cluster, workers };
    const simulated = simulate(workload, sized);
    const speedup = alone / simulated.makespan;
    const efficiency = speedup / workers;
    const limit = findLimit({ workload, cluster: sized, simulated, efficiency });
    return { workers, ...simulated, speedup, efficiency, limit };
  });
  const stop = points.find(({ efficiency }) => efficiency < SCALES);
  const { name, title, tasks } = workload;
  return {
    ...{ workload: name, title, tasks: tasks.length },
    criticalPath: criticalPath(workload, { ...cluster, workers: 1 }),
    points,
    ...(stop !== undefined && { stops: { workers: stop.workers, limit: stop.limit.names } }),
  };
}
