/**
 * Simulates clusters of 1 to 1,000 workers that run our tasks, and says where they stop scaling and why.
 *
 *   npx tsx --conditions=@isthmus/source tools/simulate-cluster/main.ts [-o FOLDER] [--queue redis|postgres|folder] [--seed 0]
 *       [--workloads star-table,ties-merge,many-networks] [--workers 1,10,100]
 *
 * Starts from `measured.json`, which `measure.ts` writes. Writes `clusters.json` and `clusters.html`; the same inputs give
 * the same bytes. Prints a line for each workload and number of workers.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { saveFile } from "@isthmus/core";
import { renderResultPage } from "@isthmus/report";
import { clusterOf } from "./cluster-of.ts";
import type { Cluster, WaitingTimes, Workload } from "./core/cluster.ts";
import { scale, WORKER_COUNTS } from "./core/scale.ts";
import { type Measured, mustFind, QUEUES, type QueueName, readMeasured } from "./measured.ts";
import { type ClusterResult, describeClusters, limitWords } from "./page.ts";
import { type Change, type Variant, varyCluster } from "./variants.ts";
import { manyNetworks } from "./workloads/many-networks.ts";
import { starTable } from "./workloads/star-table.ts";
import { tiesMerge } from "./workloads/ties-merge.ts";

const WORKLOADS: Readonly<Record<string, (measured: Measured) => Workload | Promise<Workload>>> = {
  "star-table": starTable,
  "ties-merge": tiesMerge,
  "many-networks": manyNetworks,
};

const { values } = parseArgs({
  options: {
    output: { type: "string", short: "o", default: "clusters" },
    queue: { type: "string", default: "redis" },
    seed: { type: "string", default: "0" },
    workloads: { type: "string", default: Object.keys(WORKLOADS).join(",") },
    workers: { type: "string", default: WORKER_COUNTS.join(",") },
  },
});

function queueNamed(name: string): QueueName {
  const queue = QUEUES.find((one) => one === name);
  if (queue !== undefined) return queue;
  throw new Error(`Cannot simulate as the queue must be one of ${QUEUES.join(", ")}: it is "${name}"`);
}

/** Lists what is changed for each workload, one thing at a time: what is most likely to hold it back. */
function changesOf(workload: string, measured: Measured, seed: number): Change[] {
  const usual = clusterOf(measured, "redis", seed);
  const withStorage = (bytes: number): Omit<Cluster, "workers"> => ({
    ...usual,
    bandwidth: { ...usual.bandwidth, storage: bytes },
  });
  const withWaiting = (waiting: Partial<WaitingTimes>): Omit<Cluster, "workers"> => ({
    ...usual,
    waiting: { ...usual.waiting, ...waiting },
  });
  if (workload === "ties-merge") {
    return [0.2, 2, 20, 100].map((gigabytes) => [
      `storage of ${gigabytes} GB/s`,
      withStorage(gigabytes * 1e9),
    ]);
  }
  return [
    ...QUEUES.map((queue): Change => [`queue ${queue}`, clusterOf(measured, queue, seed)]),
    ["plans that cost nothing", withWaiting({ plan: 0, planPerTask: 0 })],
    ["notes of results that cost nothing", withWaiting({ note: 0, notePerUnfinished: 0 })],
    ["workers that fail once an hour", { ...usual, failures: { ...usual.failures, meanTime: 3600 } }],
  ];
}

/** Workers of clusters whose other parts are varied. */
const VARIED_WORKERS = [100, 1000];

const began = performance.now();
const [queue, seed] = [queueNamed(values.queue), Number(values.seed)];
const measured = await readMeasured();
const counts = values.workers.split(",").map(Number);
const scalings: ClusterResult["scalings"][number][] = [];
const variants: Variant[] = [];
for (const name of values.workloads.split(",")) {
  const workload = await mustFind(WORKLOADS, name, "workload")(measured);
  const scaling = scale(workload, clusterOf(measured, queue, seed), counts);
  scalings.push(scaling);
  for (const { workers, makespan, speedup, efficiency, cost, limit } of scaling.points) {
    const times = `${makespan.toFixed(0)} s, ${speedup.toFixed(1)} times as fast, efficiency ${efficiency.toFixed(2)}, ${cost.toFixed(2)} USD`;
    console.log(`${name}, ${workers} workers: ${times}; limit: ${limitWords(limit.names)}`);
  }
  for (const workers of VARIED_WORKERS) {
    variants.push(...varyCluster(workload, changesOf(name, measured, seed), workers));
  }
}
const result: ClusterResult = { queue, seed, measured, scalings, variants };
const command = `npx tsx --conditions=@isthmus/source tools/simulate-cluster/main.ts --queue ${queue} --seed ${seed}`;
const study = describeClusters(result);
await mkdir(values.output, { recursive: true });
await saveFile(join(values.output, "clusters.json"), `${JSON.stringify(result, null, 2)}\n`);
await saveFile(
  join(values.output, "clusters.html"),
  await renderResultPage({ title: study.title, result: study, commands: [command], notes: NOTES() }),
);
console.log(
  `wrote ${values.output}/clusters.json and clusters.html after ${((performance.now() - began) / 1000).toFixed(0)} s`,
);

/** Says what the simulation leaves out. */
function NOTES(): string[] {
  return [
    "A limit is what, taken away in the same simulation, saves most of the time; if nothing alone saves a twentieth, the two that save most together. At an efficiency of 0.9 or more nothing but the number of workers is the limit.",
    "The number of tasks is taken away as a limit by dividing every long task into parts that different workers do at once; dependencies by letting every task begin at once.",
    "All workers are alike and have one core; a worker does one task at a time and moves one file at a time; the storage is shared fairly among all transfers, and has no delay of its own. Examples come with the program and are not read from the storage.",
    "Tasks of a worker that fails begin anew on another one after the lease. The machine of the queue, the storage and the waiting process are not paid for, and do not fail.",
  ];
}
