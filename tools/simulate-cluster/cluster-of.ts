import type { Cluster } from "./core/cluster.ts";
import { type Measured, mustFind, numberOf, type QueueName } from "./measured.ts";

/** A cluster without its number of workers, by what was measured and assumed. */
export function clusterOf(measured: Measured, queueName: QueueName, seed: number): Omit<Cluster, "workers"> {
  const { latency, service, add, poll } = mustFind(measured.queues, queueName, "queue");
  return {
    ...{ seed, price: numberOf(measured, "price"), start: numberOf(measured, "start") },
    bandwidth: {
      storage: numberOf(measured, "storageBandwidth"),
      worker: numberOf(measured, "workerBandwidth"),
    },
    queue: { latency: latency.value, service: service.value, poll: poll.value },
    waiting: {
      ...{ plan: numberOf(measured, "plan"), planPerTask: numberOf(measured, "planPerTask"), add: add.value },
      ...{ note: numberOf(measured, "note"), notePerUnfinished: numberOf(measured, "notePerUnfinished") },
    },
    failures: { meanTime: numberOf(measured, "meanTimeBetweenFailures"), lease: numberOf(measured, "lease") },
    spread: numberOf(measured, "spread"),
  };
}
