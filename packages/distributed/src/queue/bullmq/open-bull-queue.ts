import { UsageError } from "@isthmus/core";
import { Queue } from "bullmq";
import { withoutStop } from "../../without-stop.ts";
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
import { openRedis } from "./redis-backing.ts";
import { serveJobs } from "./serve-jobs.ts";
import { createTrouble, type Trouble } from "./trouble.ts";

/** Shortest secret that is looked for in messages: a shorter one would blank out parts of other words. */
const SHORTEST_SECRET = 3;

/** Names of parameters whose values nobody may see, such as `password` and `sslkey`. */
const SECRET_PARAMETER = /pass|key|secret|token/i;

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

/** Returns a URL without user, password, query and fragment: the parts that people may see. */
export function placeOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/**
 * Makes a function that describes an error in one line, without the secrets of a URL and without a full stop,
 * as more of the sentence may follow.
 */
export function createCleaner(url: URL): (error: unknown) => string {
  const secrets = secretsOf(url);
  return (error) => {
    let message = reasonOf(error).replaceAll(url.href, placeOf(url));
    for (const secret of secrets) message = message.replaceAll(secret, "***");
    return withoutStop(message.split("\n", 1)[0] ?? message);
  };
}

/** Lists the secrets in a URL, both as written there and decoded, the longest first. */
function secretsOf({ protocol, username, password, searchParams, hash }: URL): readonly string[] {
  const parameters = [...searchParams].flatMap(([name, value]) => (SECRET_PARAMETER.test(name) ? value : []));
  // Redis accepts a password without a user: if the ":" before the password is forgotten, it is parsed as the
  // user.
  const user = password === "" && protocol.startsWith("redis") ? [username] : [];
  const written = [...user, password, hash.slice(1), ...parameters];
  return [...new Set(written.flatMap((secret) => [secret, decode(secret)]))]
    .filter((secret) => secret.length >= SHORTEST_SECRET || secret === decode(password))
    .filter((secret) => secret !== "")
    .sort((a, b) => b.length - a.length);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the message of an error; an error about several addresses at once has no message itself. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== "") return error.message;
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
