import type { ErrorDescription } from "@isthmus/tasks";
import { type IQueueBackend, QueueEvents } from "bullmq";
import { digestStore } from "../queued-task.ts";
import type { QueueEvent } from "../task-queue.ts";
import type { Backing, BackingClient } from "./backing.ts";
import { endWithin } from "./end-within.ts";
import { entryOf, isProgress, type JobQueue, type JobResult, readError } from "./job-data.ts";
import type { Trouble } from "./trouble.ts";

/** Listeners to the events of stores, which share one connection. */
export interface StoreFollowers {
  /** Calls a listener with every event of the tasks of a store; the returned function ends this. */
  follow(store: string, listener: (event: QueueEvent) => void): Promise<() => Promise<void>>;
  /** Ends the connection, and forgets all listeners. */
  close(): Promise<void>;
}

type TaskEvents = QueueEvents<JobResult, IQueueBackend, BackingClient>;

type Listeners = Map<string, Set<(event: QueueEvent) => void>>;

/** Prepares to listen to a queue; connects when somebody follows a store for the first time. */
export function createFollowers(queue: JobQueue, backing: Backing, trouble: Trouble): StoreFollowers {
  const listeners: Listeners = new Map();
  let opened: Promise<() => Promise<void>> | undefined;
  return {
    async follow(store, listener) {
      const digest = digestStore(store);
      const all = listeners.get(digest) ?? new Set();
      listeners.set(digest, all);
      // Each call has its own function, as one listener may follow twice.
      const hear = (event: QueueEvent): void => listener(event);
      all.add(hear);
      opened ??= listenTo(queue, backing, { trouble, listeners });
      try {
        await opened;
      } catch (error) {
        opened = undefined;
        all.delete(hear);
        throw error;
      }
      return async () => {
        all.delete(hear);
        if (all.size === 0 && listeners.get(digest) === all) listeners.delete(digest);
      };
    },
    async close() {
      listeners.clear();
      const close = await opened?.catch(() => undefined);
      await close?.();
    },
  };
}

/**
 * Starts to read events; resolves, once no later event can be missed, to the function that ends the reading.
 */
async function listenTo(
  queue: JobQueue,
  backing: Backing,
  { trouble, listeners }: { readonly trouble: Trouble; readonly listeners: Listeners },
): Promise<() => Promise<void>> {
  const { events, close } = await trouble.insist("follow", () => openEvents(queue, backing));
  events.on("error", (error) => trouble.report(error));
  const tell = (jobId: string, describe: () => QueueEvent | undefined): void => {
    const interested = listeners.get(jobId.slice(jobId.lastIndexOf("-") + 1));
    if (interested === undefined || interested.size === 0) return;
    const event = describe();
    if (event !== undefined) for (const listener of interested) listener(event);
  };
  hearEvents(events, tell, async (id) => {
    const job = await queue.getJob(id);
    return job === undefined ? undefined : entryOf(job, "failed").error;
  });
  events.run().catch((error: unknown) => trouble.report(error));
  return close;
}

interface OpenedEvents {
  readonly events: TaskEvents;
  readonly close: () => Promise<void>;
}

/** Connects to the events from now on. */
async function openEvents(queue: JobQueue, { connect, factory }: Backing): Promise<OpenedEvents> {
  // An event of our own marks where the reading begins: "now" would begin only when the first read arrives.
  const lastEventId = await queue.getBackend().publishEvent({ event: "followed" }, MOST_EVENTS);
  const { connection, end } = connect();
  const events: TaskEvents = new QueueEvents(
    queue.name,
    { connection, lastEventId, blockingTimeout: POLL, autorun: false },
    factory,
  );
  const close = async (): Promise<void> => {
    await endWithin(events.close());
    await end();
  };
  // Without a listener, an error would end the process.
  events.on("error", () => undefined);
  try {
    await events.waitUntilReady();
    return { events, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Milliseconds after which events are read even without a notification. */
const POLL = 2000;
/** Number of events that BullMQ keeps by default. */
const MOST_EVENTS = 10_000;

function hearEvents(
  events: TaskEvents,
  tell: (jobId: string, describe: () => QueueEvent | undefined) => void,
  readFault: (id: string) => Promise<ErrorDescription | undefined>,
): void {
  /** Errors that workers reported, until it is clear whether the task is tried again. */
  const errors = new Map<string, ErrorDescription>();
  const takeError = (id: string): ErrorDescription | undefined => {
    const error = errors.get(id);
    errors.delete(id);
    return error;
  };
  events.on("progress", ({ jobId: id, data }) =>
    tell(id, () => {
      if (!isProgress(data)) return undefined;
      const { kind, worker, done, error } = data;
      if (kind === "started") return { id, kind, worker };
      if (kind === "progress") return { id, kind, worker, done };
      if (error !== undefined) errors.set(id, readError(error));
      return undefined;
    }),
  );
  events.on("completed", ({ jobId: id, returnvalue }) =>
    tell(id, () => ({ id, kind: "done", ...(returnvalue as unknown as JobResult) })),
  );
  events.on("delayed", ({ jobId: id }) =>
    tell(id, () => ({ id, kind: "retried", reason: takeError(id)?.message ?? "it failed" })),
  );
  events.on("stalled", ({ jobId: id }) =>
    tell(id, () => ({ id, kind: "retried", reason: "its worker was not heard of for too long" })),
  );
  events.on("removed", ({ jobId: id }) =>
    tell(id, () => {
      errors.delete(id);
      const error = { name: "Error", message: "it was taken out of the queue", isUsage: false };
      return { id, kind: "failed", error };
    }),
  );
  events.on("failed", ({ jobId: id, failedReason }) =>
    tell(id, () => {
      const error = takeError(id);
      if (error !== undefined) return { id, kind: "failed", error };
      // The worker reported its error before anybody followed, or the report arrives late.
      const fallback: ErrorDescription = { name: "Error", message: failedReason, isUsage: false };
      readFault(id)
        .catch(() => undefined)
        .then((fault) => tell(id, () => ({ id, kind: "failed", error: fault ?? fallback })));
      return undefined;
    }),
  );
}
