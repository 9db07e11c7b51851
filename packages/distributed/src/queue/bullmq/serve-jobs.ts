import { setTimeout } from "node:timers/promises";
import { type JobProgress as AnyProgress, type IQueueBackend, Worker } from "bullmq";
import { type Repetition, repeat } from "../../repeat.ts";
import { pauseAfter } from "../pause-after.ts";
import type { QueuePatience } from "../queue-patience.ts";
import type { QueueServer, ServeQueueOptions, TaskHandler } from "../task-queue.ts";
import type { Backing, BackingClient, BackingConnection } from "./backing.ts";
import { endWithin } from "./end-within.ts";
import { encodeWorker, type JobData, type JobQueue, type JobResult, type TaskJob } from "./job-data.ts";
import { type JobRunner, runJob } from "./run-job.ts";
import type { Trouble } from "./trouble.ts";

/** Parts of a queue that a server of jobs needs. */
export interface ServedQueue {
  /** Queue of BullMQ whose jobs are served. */
  readonly queue: JobQueue;
  /** Database of the queue, for a connection of the worker. */
  readonly backing: Backing;
  /** Reports of lost connections, and repetition of requests until the database answers. */
  readonly trouble: Trouble;
  /** Limits after which a worker loses a task, or a task is given up. */
  readonly patience: QueuePatience;
}

type TaskWorker = Worker<JobData, JobResult, string, IQueueBackend, AnyProgress, BackingClient>;

/**
 * Deaths after which BullMQ itself would give up on a task: practically never, as BullMQ would not say why.
 */
const MOST_STALLS = 2 ** 31 - 1;
/** Milliseconds before a worker asks a queue again that does not answer. */
const LONGEST_WAIT = 5000;

/** Serves a queue of BullMQ by a function. */
export async function serveJobs(
  { queue, backing, trouble, patience }: ServedQueue,
  handle: TaskHandler,
  { worker: name, capacity }: ServeQueueOptions,
): Promise<QueueServer> {
  const runner: JobRunner = {
    worker: name,
    handle,
    patience,
    trouble,
    running: new Map(),
    read: (id) => queue.getJob(id),
  };
  const { worker, client } = await openWorker({ queue, backing, runner }, capacity);
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) stopJob(runner, id, "lost");
  });
  worker.run().catch((error: unknown) => trouble.report(error));
  const watch = watchCancelled(runner);
  let drained: Promise<void> | undefined;
  return {
    get running() {
      return runner.running.size;
    },
    drain() {
      drained ??= drainWorker(worker, client, runner).finally(() => {
        // A look may wait long for a queue that is away.
        void watch.stop();
      });
      return drained;
    },
  };
}

interface OpenedWorker {
  readonly worker: TaskWorker;
  readonly client: BackingConnection;
}

/** Connects a worker, which does not run yet. */
async function openWorker(parts: WorkerParts, capacity: number): Promise<OpenedWorker> {
  let last: OpenedWorker | undefined;
  const closeLast = async (): Promise<void> => {
    if (last === undefined) return;
    await endWithin(last.worker.close(true));
    await last.client.end();
    last = undefined;
  };
  try {
    return await parts.runner.trouble.insist("serve", async () => {
      // A worker that failed to connect never tries again by itself.
      await closeLast();
      last = createWorker(parts, capacity);
      await last.worker.waitUntilReady();
      return last;
    });
  } catch (error) {
    await closeLast();
    throw error;
  }
}

interface WorkerParts {
  readonly queue: JobQueue;
  readonly backing: Backing;
  readonly runner: JobRunner;
}

function createWorker({ queue, backing, runner }: WorkerParts, capacity: number): OpenedWorker {
  const { patience, trouble } = runner;
  const { lease, attempts, pause } = patience;
  const client = backing.connect();
  const worker: TaskWorker = new Worker(
    queue.name,
    (job: TaskJob, token = "") => runJob(job, token, runner),
    {
      connection: client.connection,
      autorun: false,
      name: encodeWorker(runner.worker),
      concurrency: capacity,
      lockDuration: lease,
      stalledInterval: Math.ceil(lease / 2),
      maxStalledCount: MOST_STALLS,
      runRetryDelay: Math.min(LONGEST_WAIT, Math.ceil(lease / 3)),
      settings: {
        backoffStrategy: (made) =>
          // BullMQ gives up at -1; at 0 it would try again without telling those who follow.
          made >= attempts ? -1 : Math.max(1, pauseAfter(made, pause)),
      },
    },
    backing.factory,
  );
  worker.on("error", (error) => reportUnlessLost(error, runner));
  for (const event of ["active", "completed", "locksRenewed"] as const)
    worker.on(event, () => trouble.over());
  return { worker, client };
}

/** Reports an error of BullMQ, unless it only says that another worker has the task by now. */
function reportUnlessLost(error: Error, { trouble }: JobRunner): void {
  const { code } = error as { code?: unknown };
  const isLost = (typeof code === "number" && code < 0) || error.message.startsWith("could not renew lock");
  if (!isLost) trouble.report(error);
}

function stopJob({ running, worker, trouble }: JobRunner, id: string, why: "lost" | "cancelled"): void {
  const entry = running.get(id);
  if (entry === undefined || entry.abort.signal.aborted) return;
  entry.stopped = why;
  if (why === "lost") {
    const { label } = entry.job.data.entry;
    trouble.tell(`Stopped ${label} as ${worker} was not heard of for too long: another worker has it by now`);
  }
  entry.abort.abort();
}

/** Checks from time to time whether running tasks were cancelled, or removed. */
function watchCancelled(runner: JobRunner): Repetition {
  const { running, patience, read, trouble } = runner;
  const look = async (id: string): Promise<void> => {
    const job = await read(id);
    if (job === undefined) stopJob(runner, id, "lost");
    else if (job.data.cancelled) stopJob(runner, id, "cancelled");
  };
  return repeat(Math.ceil(patience.lease / 3), async () => {
    await Promise.all([...running.keys()].map(look)).catch((error: unknown) => trouble.report(error));
  });
}

/** Stops taking tasks, waits for the running ones, and ends the connections even if the server is away. */
async function drainWorker(
  worker: TaskWorker,
  { end }: BackingConnection,
  { running }: JobRunner,
): Promise<void> {
  const closing = worker.close();
  closing.catch(() => undefined);
  while (running.size > 0) await setTimeout(PAUSE);
  await endWithin(closing);
  await end();
}

/** Milliseconds between two looks at whether tasks still run. */
const PAUSE = 20;
