import type { Cluster, SimulatedTask, Workload } from "../../tools/simulate-cluster/core/cluster.ts";

/** A cluster in which nothing but computing takes time. */
export const IDEAL: Cluster = {
  ...{ workers: 1, start: 0, price: 1, spread: 0, seed: 0 },
  bandwidth: { storage: Number.POSITIVE_INFINITY, worker: Number.POSITIVE_INFINITY },
  queue: { latency: 0, service: 0, poll: 0 },
  waiting: { plan: 0, planPerTask: 0, add: 0, note: 0, notePerUnfinished: 0 },
  failures: { meanTime: Number.POSITIVE_INFINITY, lease: 30 },
};

/** Makes a task that takes a second, unless parts say otherwise. */
export const taskOf = (parts: Partial<SimulatedTask> = {}): SimulatedTask => ({
  ...{ kind: "train", seconds: 1, reads: 0, writes: 0, after: [] },
  ...parts,
});

/** Makes a workload of tasks. */
export const workloadOf = (tasks: readonly SimulatedTask[]): Workload => ({
  ...{ name: "made", title: "Made up", tasks },
});

/** Makes a workload of so many equal tasks that depend on nothing. */
export const equalTasks = (count: number, parts: Partial<SimulatedTask> = {}): Workload =>
  workloadOf(Array.from({ length: count }, () => taskOf(parts)));
