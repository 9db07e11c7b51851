import type { Cluster, Workload } from "./cluster.ts";
import { drawTimes } from "./draw-times.ts";
import { createEventQueue } from "./event-queue.ts";
import { createReadyQueue } from "./ready-queue.ts";
import { createSerialServer } from "./serial-server.ts";
import { createSharedLink } from "./shared-link.ts";
import { createWaitingProcess } from "./waiting-process.ts";
import { createWorkers, type Stage } from "./workers.ts";

/** What a cluster made of a workload. */
export interface Simulated {
  /** Seconds until the last result is noted. */
  readonly makespan: number;
  /** Shares of the workers' time: of all stages, the rest is waiting for tasks, or for workers to start. */
  readonly shares: Readonly<Record<Stage | "idle", number>>;
  /** Share of the time in which the storage held transfers back. */
  readonly storage: number;
  /** Shares of the time in which the queue, and the waiting process, were busy. */
  readonly queue: number;
  readonly waiting: number;
  /** Bytes that were moved. */
  readonly moved: number;
  readonly failures: number;
  /** What all workers cost. */
  readonly cost: number;
}

const SECONDS_AN_HOUR = 3600;

/**
 * Simulates a cluster that runs a workload, event by event. The same workload, cluster and seed give the same
 * numbers.
 */
export function simulate({ tasks }: Workload, cluster: Cluster): Simulated {
  const events = createEventQueue();
  const link = createSharedLink(cluster.bandwidth);
  const server = createSerialServer();
  const partsOf = (task: number): number => cluster.parts?.[task] ?? 1;
  const left = Int32Array.from(tasks.keys(), partsOf);
  const { poll } = cluster.queue;
  // Of so many workers that look by turns, the first looks after that part of the time between two looks.
  const queue = createReadyQueue((worker, task, others) =>
    workers.take(worker, task, others === undefined ? 0 : poll / (others + 2)),
  );
  const waiting = createWaitingProcess(tasks, {
    ...{ events, times: cluster.waiting },
    release: (task) => queue.add(task, partsOf(task)),
  });
  const workers = createWorkers(cluster, {
    ...{ events, link, server, tasks, times: drawTimes(tasks, cluster), partsOf },
    onFree: queue.offer,
    onFail: queue.withdraw,
    onLost: (task) => queue.add(task, 1),
    onPublished(task) {
      if (--(left[task] as number) > 0) return;
      events.at(events.now + cluster.queue.latency, () => waiting.hear(task));
    },
  });
  waiting.begin();
  workers.begin();
  while (waiting.unfinished > 0) {
    if (link.next <= events.next) {
      events.moveTo(link.next);
      link.step();
    } else {
      events.step();
    }
  }
  const makespan = events.now;
  const all = makespan * cluster.workers;
  const share = (stage: Stage): number => workers.spent[stage] / all;
  const shares = {
    ...{ queue: share("queue"), transfer: share("transfer") },
    ...{ compute: share("compute"), lost: share("lost") },
  };
  const idle = 1 - shares.queue - shares.transfer - shares.compute - shares.lost;
  return {
    ...{ makespan, shares: { ...shares, idle: Math.max(0, idle) } },
    ...{
      storage: link.saturated / makespan,
      queue: server.busy / makespan,
      waiting: waiting.busy / makespan,
    },
    ...{ moved: link.moved, failures: workers.failures, cost: (all / SECONDS_AN_HOUR) * cluster.price },
  };
}
