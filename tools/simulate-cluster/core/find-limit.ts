import type { Cluster, Workload } from "./cluster.ts";
import { criticalPath } from "./critical-path.ts";
import { type Simulated, simulate } from "./simulate.ts";

/** A cluster and what it runs. */
interface Setting {
  readonly workload: Workload;
  readonly cluster: Cluster;
}

const FREE_QUEUE = { latency: 0, service: 0, poll: 0 } as const;
const FREE_WAITING = { plan: 0, planPerTask: 0, add: 0, note: 0, notePerUnfinished: 0 } as const;
/** Parts for each worker into which all work is divided, to ask what would be if it could be. */
const PARTS_A_WORKER = 8;

/** What can hold a cluster back, and the same cluster without it. */
const REMOVALS: Readonly<Record<string, (setting: Setting) => Setting>> = {
  storage: ({ workload, cluster }) => ({
    workload,
    cluster: { ...cluster, bandwidth: { ...cluster.bandwidth, storage: Number.POSITIVE_INFINITY } },
  }),
  network: ({ workload, cluster }) => ({
    workload,
    cluster: { ...cluster, bandwidth: { ...cluster.bandwidth, worker: Number.POSITIVE_INFINITY } },
  }),
  queue: ({ workload, cluster }) => ({ workload, cluster: { ...cluster, queue: FREE_QUEUE } }),
  waiting: ({ workload, cluster }) => ({ workload, cluster: { ...cluster, waiting: FREE_WAITING } }),
  start: ({ workload, cluster }) => ({ workload, cluster: { ...cluster, start: 0 } }),
  failures: ({ workload, cluster }) => ({
    workload,
    cluster: { ...cluster, failures: { ...cluster.failures, meanTime: Number.POSITIVE_INFINITY } },
  }),
  dependencies: ({ workload, cluster }) => ({
    workload: { ...workload, tasks: workload.tasks.map((task) => ({ ...task, after: [] })) },
    cluster,
  }),
  tasks: ({ workload, cluster }) => ({ workload, cluster: { ...cluster, parts: divide(workload, cluster) } }),
};

/** Names of limits, in words. */
export const LIMIT_WORDS: Readonly<Record<string, string>> = {
  ...{ none: "nothing: workers only", storage: "bandwidth of the storage", network: "network of a worker" },
  ...{
    queue: "queue",
    waiting: "waiting process",
    start: "start of workers",
    failures: "failures of workers",
  },
  ...{ dependencies: "dependencies between tasks", tasks: "number of tasks" },
  path: "critical path",
};

/** Efficiency from which nothing but the number of workers is called the limit. */
const EFFICIENT = 0.9;
/** Part of the time that the removal of a limit must save, to count alone. */
const WORTH = 0.05;

/**
 * Part of the time from which the longest chain of tasks is the reason that they are too few or depend on each
 * other, if it is as many times as long as what each worker has to do.
 */
const PATH = { part: 0.9, times: 2 } as const;

/** What holds a cluster back. */
export interface Limit {
  /** Names from {@link LIMIT_WORDS}: one, or two that hold it back together. */
  readonly names: readonly string[];
  /** Seconds until the end without it. */
  readonly makespan: number;
  /** Part of the time that is saved without each limit alone, by its name. */
  readonly savings: Readonly<Record<string, number>>;
}

/**
 * Finds what holds a cluster back: the limit without which the same simulation saves most. If none alone saves
 * a twentieth, the two that save most together; nothing, if workers are used well. Where tasks that are divided,
 * or that depend on nothing, save most, and one long chain takes nearly all the time, that chain is the limit.
 *
 * @param efficiency - the speed-up for each worker
 */
export function findLimit(
  setting: Setting & { readonly simulated: Simulated; readonly efficiency: number },
): Limit {
  const { simulated, efficiency } = setting;
  const timeWithout = (names: readonly string[]): number => {
    const { workload, cluster } = names.reduce<Setting>((left, name) => removalOf(name)(left), setting);
    return simulate(workload, cluster).makespan;
  };
  const names = Object.keys(REMOVALS);
  const times = new Map(names.map((name) => [name, timeWithout([name])]));
  const savings = Object.fromEntries([...times].map(([name, time]) => [name, 1 - time / simulated.makespan]));
  const best = bestOf([...times].map(([name, time]) => [[name], time] as const));
  if (efficiency >= EFFICIENT) return { names: ["none"], makespan: simulated.makespan, savings };
  if (1 - best[1] / simulated.makespan >= WORTH)
    return { names: [nameOf(best[0][0] as string, setting)], makespan: best[1], savings };
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other]));
  const pair = bestOf(pairs.map((both) => [both, timeWithout(both)] as const));
  return { names: pair[0], makespan: pair[1], savings };
}

/** Names the critical path where it is why the removal of a limit saves most. */
function nameOf(name: string, setting: Setting & { readonly simulated: Simulated }): string {
  if (name !== "tasks" && name !== "dependencies") return name;
  const { workload, cluster, simulated } = setting;
  const path = criticalPath(workload, cluster);
  const work = workload.tasks.reduce((sum, { seconds }) => sum + seconds, 0);
  const each = work / Math.min(cluster.workers, workload.tasks.length);
  return path >= PATH.part * simulated.makespan && path > PATH.times * each ? "path" : name;
}

type Timed = readonly [names: readonly string[], time: number];

/** Returns the first of the shortest times. */
function bestOf(timed: readonly Timed[]): Timed {
  return timed.reduce((best, one) => (one[1] < best[1] ? one : best));
}

function removalOf(name: string): (setting: Setting) => Setting {
  const removal = REMOVALS[name];
  if (removal !== undefined) return removal;
  throw new RangeError(
    `Cannot remove a limit as it must be one of ${Object.keys(REMOVALS).join(", ")}: it is "${name}"`,
  );
}

/** Divides tasks so that no part is longer than an eighth of what each worker has to do. */
function divide({ tasks }: Workload, { workers, bandwidth }: Cluster): number[] {
  const rate = Math.min(bandwidth.storage, bandwidth.worker);
  const seconds = tasks.map((task) => task.seconds + (task.reads + task.writes) / rate);
  const total = seconds.reduce((sum, one) => sum + one, 0);
  const longest = total / (workers * PARTS_A_WORKER);
  return seconds.map((one) => Math.max(1, Math.ceil(one / longest)));
}
