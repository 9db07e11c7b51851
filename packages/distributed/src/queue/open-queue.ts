import { InputError } from "@isthmus/core";
import { importClient } from "./bullmq/backing.ts";
import { openFolderQueue } from "./folder/open-folder-queue.ts";
import type { QueuePatience } from "./queue-patience.ts";
import { assertEntry } from "./queued-task.ts";
import type { TaskQueue } from "./task-queue.ts";

/** Options of {@link openQueue}. */
export interface OpenQueueOptions extends Partial<QueuePatience> {
  /** Name of the queue in a database that has several. @defaultValue "isthmus" */
  readonly name?: string | undefined;
  /** Whether a missing folder is made; has no effect on databases. @defaultValue true */
  readonly mayMake?: boolean;
  /** Called with sentences about trouble with the queue, such as a lost connection. */
  readonly onTrouble?: ((sentence: string) => void) | undefined;
}

/** Pattern of the beginning of addresses of databases. */
const DATABASE = /^(redis|rediss|postgres|postgresql):/;

/** An address without its scheme. */
const HOST_AND_PORT = /^[\w.-]+:\d+$/;

/**
 * Opens the queue at an address: `redis://`, `rediss://` and `postgres://` for databases, else a folder
 * that all machines share.
 * @throws InputError if it is an address of another kind
 * @throws UsageError if the client of the database is not installed
 */
export async function openQueue(address: string, options: OpenQueueOptions = {}): Promise<TaskQueue> {
  const queue = await openAt(address, options);
  return {
    ...queue,
    // In every kind of queue, ids become names of files or keys.
    async add(tasks) {
      for (const task of tasks) assertEntry(task, "add a task to a queue");
      await queue.add(tasks);
    },
  };
}

async function openAt(address: string, options: OpenQueueOptions): Promise<TaskQueue> {
  const { name = "isthmus", mayMake = true, ...rest } = options;
  if (DATABASE.test(address)) {
    const url = parseAddress(address);
    const packages = url.protocol.startsWith("redis") ? "bullmq ioredis" : "bullmq pg";
    const { openBullQueue } = await importClient(
      packages,
      { name: `queue at ${url.host}` },
      () => import("./bullmq/open-bull-queue.ts"),
    );
    return openBullQueue(url, { name, ...rest });
  }
  if (HOST_AND_PORT.test(address)) {
    throw new InputError(
      `Cannot open a queue as its address must begin with redis://, rediss:// or postgres://, or be a folder: "${address}" looks like a server; write redis://${address}, or ./${address} for a folder`,
      { input: "queue" },
    );
  }
  const scheme = /^[a-z][a-z0-9+.-]+:\/\//i.exec(address)?.[0];
  if (scheme === undefined) return openFolderQueue(address, { ...rest, mayMake });
  throw new InputError(
    `Cannot open a queue as its address must begin with redis://, rediss:// or postgres://, or be a folder: it begins with ${scheme}`,
    { input: "queue" },
  );
}

/**
 * @throws InputError if an address of a database has a wrong form; the message does not repeat it, as it may
 *   hold a password
 */
function parseAddress(address: string): URL {
  // An @ after the host belongs to a password, part of which would be taken for the host.
  const isMisread = /^[^@]*@.*@/.test(address) || /^\w+:\/\/[^/]*[/?#].*@/.test(address);
  if (!isMisread && URL.canParse(address)) return new URL(address);
  throw new InputError(
    "Cannot open a queue as its address must be written as one, SCHEME://USER:PASSWORD@HOST:PORT/NAME: it is not; write / in a password as %2F, @ as %40, : as %3A, # as %23",
    { input: "queue" },
  );
}
