import { UsageError } from "@isthmus/core";
import { Queue } from "bullmq";
import { QUEUE_PATIENCE, type QueuePatience } from "../queue-patience.ts";
import type { QueuedTask } from "../queued-task.ts";
import type { QueueServer, TaskQueue } from "../task-queue.ts";
import type { Backing, BackingPlace } from "./backing.ts";
import { addJobs, cancelJobs, retryJobs } from "./change-jobs.ts";
import { endWithin } from "./end-within.ts";
import { createFollowers } from "./follow-stores.ts";
import type { JobQueue } from "./job-data.ts";
import { countJobs, findJobs, listJobs, listWorkers } from "./look-at-jobs.ts";
import { openPostgres } from "./postgres-backing.ts";
import { createCleaner, placeOf } from "./queue-place.ts";
import { openRedis } from "./redis-backing.ts";
import { serveJobs } from "./serve-jobs.ts";
import { createTrouble, type Trouble } from "./trouble.ts";

/** Options of {@link openBullQueue}. */
export interface BullQueueOptions extends Partial<QueuePatience> {
  /** Name of the queue: all who open it by the same name at the same place share it. */
  readonly name: string;
  /** Called with sentences about trouble with the queue, such as a lost connection: once for each outage. */
  readonly onTrouble?: ((sentence: string) => void) | undefined;
}

/** Functions that connect to the database of a queue, by the scheme of its URL. */
const OPENERS: ReadonlyMap<string, (place: BackingPlace) => Promise<Backing>> = new Map([
  ["redis:", openRedis],
  ["rediss:", openRedis],
  ["postgres:", openPostgres],
  ["postgresql:", openPostgres],
]);

/**
 * Opens a queue that BullMQ keeps in Redis or in PostgreSQL. The package of the client, `ioredis` or `pg`,
 * must be installed; missing tables of PostgreSQL are made.
 *
 * @param url - address of the server, such as `redis://host:6379/0`, `rediss://…` or
 *   `postgres://host/database`; a password in it shows up nowhere
 * @throws InputError if the server cannot be reached, refuses, or its client is not installed
 */
export async function openBullQueue(
  url: URL,
  { name, onTrouble, ...patience }: BullQueueOptions,
): Promise<TaskQueue> {
  const open = OPENERS.get(url.protocol);
  if (open === undefined) {
    const schemes = [...OPENERS.keys()].join(", ");
    throw new UsageError(
      `Cannot open a queue as its URL must begin with one of ${schemes}: it begins with ${url.protocol}`,
    );
  }
  if (name === "" || name.includes(":")) {
    throw new UsageError(`Cannot open a queue as its name must be a text without ":": it is "${name}"`);
  }
  const title = `queue ${name} at ${placeOf(url)}`;
  const clean = createCleaner(url);
  const trouble = createTrouble(title, clean);
  const forget = trouble.listen(onTrouble);
  try {
    const backing = await open({ url, name: title, clean, trouble });
    return createBullQueue(name, { title, backing, trouble, patience: { ...QUEUE_PATIENCE, ...patience } });
  } catch (error) {
    forget();
    throw error;
  }
}

interface BullQueueParts {
  readonly title: string;
  readonly backing: Backing;
  readonly trouble: Trouble;
  readonly patience: QueuePatience;
}

function createBullQueue(name: string, { title, backing, trouble, patience }: BullQueueParts): TaskQueue {
  const { connection, end } = backing.connect();
  const queue: JobQueue = new Queue(name, { connection }, backing.factory);
  queue.on("error", (error) => trouble.report(error));
  const followers = createFollowers(queue, backing, trouble);
  const servers = new Set<QueueServer>();
  const parts = { queue, trouble };
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await Promise.all([...servers].map((server) => server.drain()));
    // Calls that are being retried, such as a look at other workers, would go on for a minute if the server
    // is away.
    trouble.close();
    await followers.close();
    await endWithin(queue.close());
    await end();
  };
  return {
    name: title,
    add: (tasks: readonly QueuedTask[]) => addJobs(parts, tasks, patience),
    follow: followers.follow,
    find: (ids) => findJobs(parts, ids),
    count: () => countJobs(parts),
    list: (state, limit) => listJobs(parts, state, limit),
    workers: () => listWorkers(parts),
    cancel: (ids) => cancelJobs(parts, ids),
    retry: (ids) => retryJobs(parts, ids),
    async serve(handle, options) {
      const forget = trouble.listen(options.onTrouble);
      const served = { queue, backing, trouble, patience: { ...patience, ...options } };
      const server = await serveJobs(served, handle, options).catch((error: unknown) => {
        forget();
        throw error;
      });
      servers.add(server);
      const drain = (): Promise<void> => server.drain().finally(forget);
      return {
        get running() {
          return server.running;
        },
        drain,
      };
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}
