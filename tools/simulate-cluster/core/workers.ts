import { createRandom } from "@isthmus/core";
import type { Cluster, SimulatedTask } from "./cluster.ts";
import type { EventQueue } from "./event-queue.ts";
import type { SerialServer } from "./serial-server.ts";
import type { SharedLink, Transfer } from "./shared-link.ts";

/** What workers spend their time on. */
export const STAGES = ["queue", "transfer", "compute", "lost"] as const;
export type Stage = (typeof STAGES)[number];

/** What workers work with. */
export interface WorkerPorts {
  readonly events: EventQueue;
  readonly link: SharedLink;
  readonly server: SerialServer;
  readonly tasks: readonly SimulatedTask[];
  /** Seconds that each task computes. */
  readonly times: Float64Array;
  partsOf(task: number): number;
  /** Called for a worker that can take a task. */
  onFree(worker: number): void;
  /** Called for a worker that fails, and for the task that it had, once the lease is over. */
  onFail(worker: number): void;
  onLost(task: number): void;
  /** Called when a part of a task is published. */
  onPublished(task: number): void;
}

/** All workers of a cluster. */
export interface Workers {
  /** Seconds of all workers, by what they spent them on; work that was lost counts as nothing else. */
  readonly spent: Readonly<Record<Stage, number>>;
  readonly failures: number;
  begin(): void;
  /** Gives a worker a task, after some seconds in which it has not seen it yet. */
  take(worker: number, task: number, unseen: number): void;
}

interface Attempt {
  readonly task: number;
  readonly began: number;
  readonly spent: Record<Stage, number>;
}

/** Creates workers: each claims, reads, computes, writes and publishes one task at a time, until it fails. */
export function createWorkers(cluster: Cluster, ports: WorkerPorts): Workers {
  const { events, link, server } = ports;
  const { queue, failures: failing } = cluster;
  const spent: Record<Stage, number> = { queue: 0, transfer: 0, compute: 0, lost: 0 };
  const attempts: (Attempt | undefined)[] = [];
  const transfers: (Transfer | undefined)[] = [];
  let failures = 0;
  const take = (worker: number, task: number, unseen: number): void => {
    const attempt: Attempt = {
      ...{ task, began: events.now },
      spent: { queue: 0, transfer: 0, compute: 0, lost: 0 },
    };
    attempts[worker] = attempt;
    const parts = ports.partsOf(task);
    const { reads, writes } = ports.tasks[task] as SimulatedTask;
    /** Plans what comes next, unless the worker fails before; what it took counts for a stage. */
    const next = (stage: Stage, time: number, act: () => void): void => {
      const from = events.now;
      events.at(time, () => {
        if (attempts[worker] !== attempt) return;
        attempt.spent[stage] += time - from;
        act();
      });
    };
    const ask = (wait: number, act: () => void): void =>
      next("queue", events.now + wait + queue.latency / parts, () =>
        next("queue", server.serve(events.now, queue.service / parts), act),
      );
    const transfer = (bytes: number, act: () => void): void => {
      const from = events.now;
      transfers[worker] = link.start(from, bytes / parts, () => {
        transfers[worker] = undefined;
        attempt.spent.transfer += events.now - from;
        act();
      });
    };
    const publish = (): void => {
      for (const stage of STAGES) spent[stage] += attempt.spent[stage];
      attempts[worker] = undefined;
      ports.onPublished(task);
      ports.onFree(worker);
    };
    const compute = (): void =>
      next("compute", events.now + (ports.times[task] as number) / parts, () =>
        transfer(writes, () => ask(0, publish)),
      );
    ask(unseen, () => transfer(reads, compute));
  };
  const fail = (worker: number): void => {
    failures++;
    ports.onFail(worker);
    const attempt = attempts[worker];
    if (attempt !== undefined) {
      spent.lost += events.now - attempt.began;
      attempts[worker] = undefined;
      const transfer = transfers[worker];
      if (transfer !== undefined) link.cancel(events.now, transfer);
      transfers[worker] = undefined;
      events.at(events.now + failing.lease, () => ports.onLost(attempt.task));
    }
    start(worker);
  };
  const random = createRandom(cluster.seed, "failures");
  const start = (worker: number): void =>
    events.at(events.now + cluster.start, () => {
      ports.onFree(worker);
      if (failing.meanTime === Number.POSITIVE_INFINITY) return;
      const life = -Math.log(1 - random.uniform()) * failing.meanTime;
      events.at(events.now + life, () => fail(worker));
    });
  return {
    spent,
    get failures() {
      return failures;
    },
    begin() {
      for (let worker = 0; worker < cluster.workers; worker++) start(worker);
    },
    take,
  };
}
