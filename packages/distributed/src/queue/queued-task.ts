import { createHash } from "node:crypto";
import type { Task } from "@isthmus/tasks";

/**
 * A task on its way to a worker, with where its files lie: plain data, with references to files and digests,
 * never weights or secrets.
 */
export interface QueuedTask {
  /** Name of this entry: the key of the task and a digest of the store, as one task may be for two stores. */
  readonly id: string;
  readonly task: Task;
  /** Name of the engine that the key of the task was made with. */
  readonly engine: string;
  /** Folder of results within the storage, with `/` between its parts. */
  readonly store: string;
  /** Working folder of whoever waits, within the storage: relative paths are looked up from there. */
  readonly directory: string;
  /** Root of the storage on the machine of whoever waits: paths below it lie below each worker's own root. */
  readonly root: string;
}

/** Hexadecimal digits that tell stores apart. */
const STORE_DIGITS = 8;

/** Makes the entry of a task for a queue. */
export function queueTask(task: Task, place: Omit<QueuedTask, "id" | "task">): QueuedTask {
  return { id: `${task.key}-${digestStore(place.store)}`, task, ...place };
}

/** Returns the digits that stand for a store in the names of its entries. */
export function digestStore(store: string): string {
  return createHash("sha256").update(store).digest("hex").slice(0, STORE_DIGITS);
}
