/**
 * Measures what BullMQ takes for a task, on Redis or on PostgreSQL. Others run this:
 * `tools/simulate-cluster/measure.ts` starts the servers, and writes down what comes out.
 */
import { once } from "node:events";
import { availableParallelism } from "node:os";
// biome-ignore lint/style/noRestrictedImports: benches of this package know BullMQ as its sources do.
import { createPostgresBackend, Queue, QueueEvents, Worker } from "bullmq";

/** Where a queue is. */
export type QueueServer =
  | { readonly kind: "redis"; readonly port: number }
  | { readonly kind: "postgres"; readonly connection: string };

/** What a queue takes, in seconds. */
export interface QueueMeasurement {
  /** Median, from adding a task until a worker that waits for one has it. */
  readonly latency: number;
  /** Median, from the end of a task until whoever waits knows. */
  readonly event: number;
  /** For adding one task of many. */
  readonly add: number;
  /** For handing out one task and taking back its end, with workers enough, and for both sides together. */
  readonly roundTrip: number;
}

/** Numbers of tasks that are run one by one, and many at once. */
const COUNTS = { single: 200, many: 3000 } as const;
/** A task as the queue of a study holds it: some kilobytes of JSON. */
const DATA = { task: "x".repeat(2000) };

type Parts = ReturnType<typeof openParts>;

/** Opens a queue, and makes workers and listeners for it, all with connections of their own. */
function openParts(server: QueueServer, name: string) {
  if (server.kind === "redis") {
    const connection = { host: "127.0.0.1", port: server.port, maxRetriesPerRequest: null };
    return {
      queue: new Queue(name, { connection }),
      events: () => new QueueEvents(name, { connection }),
      worker: (run: () => Promise<void>, concurrency: number) =>
        new Worker(name, run, { connection, concurrency }),
    };
  }
  const connection = { connectionString: server.connection, migrate: true };
  return {
    queue: new Queue(name, { connection }, createPostgresBackend),
    events: () => new QueueEvents(name, { connection }, createPostgresBackend),
    worker: (run: () => Promise<void>, concurrency: number) =>
      new Worker(name, run, { connection, concurrency }, createPostgresBackend),
  };
}

const seconds = (from: number): number => (performance.now() - from) / 1000;

function median(values: readonly number[]): number {
  const middle = [...values].sort((a, b) => a - b)[values.length >> 1];
  if (middle === undefined)
    throw new RangeError("Cannot find the median as there must be values: there are none");
  return middle;
}

/** Measures a queue; `between` is called before and after many tasks are run at once. */
export async function measureQueue(
  server: QueueServer,
  between: (tasks: number) => void = () => undefined,
): Promise<QueueMeasurement> {
  const single = await measureSingle(openParts(server, `single-${process.pid}`));
  const many = await measureMany(openParts(server, `many-${process.pid}`), between);
  return { ...single, ...many };
}

async function measureSingle({ queue, events, worker }: Parts) {
  // Before anything else, as it makes the tables that PostgreSQL needs.
  await queue.waitUntilReady();
  let [taken, ended] = [0, 0];
  const listener = events();
  await listener.waitUntilReady();
  const server = worker(async () => {
    taken = performance.now();
    ended = taken;
  }, 1);
  await server.waitUntilReady();
  const [latencies, told] = [[] as number[], [] as number[]];
  for (let task = 0; task < COUNTS.single; task++) {
    const completed = once(listener, "completed");
    const added = performance.now();
    await queue.add("task", DATA, { removeOnComplete: true });
    await completed;
    latencies.push((taken - added) / 1000);
    told.push(seconds(ended));
  }
  await Promise.all([server.close(), listener.close()]);
  await queue.obliterate({ force: true });
  await queue.close();
  return { latency: median(latencies), event: median(told) };
}

async function measureMany({ queue, worker }: Parts, between: (tasks: number) => void) {
  await queue.waitUntilReady();
  const jobs = Array.from({ length: COUNTS.many }, () => ({
    ...{ name: "task", data: DATA },
    opts: { removeOnComplete: true },
  }));
  const adding = performance.now();
  for (let from = 0; from < jobs.length; from += 500) await queue.addBulk(jobs.slice(from, from + 500));
  const add = seconds(adding) / COUNTS.many;
  let left = COUNTS.many;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  between(0);
  const began = performance.now();
  const workers = Array.from({ length: 2 * availableParallelism() }, () => {
    const made = worker(async () => undefined, 4);
    made.on("completed", () => {
      if (--left === 0) finish();
    });
    return made;
  });
  await finished;
  const roundTrip = seconds(began) / COUNTS.many;
  between(COUNTS.many);
  await Promise.all(workers.map((one) => one.close()));
  await queue.obliterate({ force: true });
  await queue.close();
  return { add, roundTrip };
}
