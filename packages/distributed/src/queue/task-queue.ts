import type { ErrorDescription } from "@isthmus/tasks";
import type { QueuedTask } from "./queued-task.ts";

/**
 * A port: hands tasks to workers on any machine, each to one at a time, and tells whoever waits what became
 * of them. It may lose or repeat tasks without harm, as results count by what is published in the storage.
 */
export interface TaskQueue {
  /** What people call it, without user names and passwords. */
  readonly name: string;
  /** Adds tasks; one that is waiting or running already is left alone, one that failed is tried again. */
  add(tasks: readonly QueuedTask[]): Promise<void>;
  /**
   * Listens to what happens to the tasks of one store from now on; an event may come twice, or be lost when
   * the queue is cut off. The function that is returned ends it.
   */
  follow(store: string, listener: (event: QueueEvent) => void): Promise<() => Promise<void>>;
  /** Finds tasks by their ids; undefined for those the queue does not have. */
  find(ids: readonly string[]): Promise<readonly (QueueEntry | undefined)[]>;
  /** Counts the tasks in each state. */
  count(): Promise<QueueCounts>;
  /** Lists tasks in a state, at most `limit` of them. */
  list(state: QueueState, limit: number): Promise<readonly QueueEntry[]>;
  /** Lists the workers that serve the queue now: each of several that have the same name. */
  workers(): Promise<readonly QueueWorker[]>;
  /**
   * Takes tasks out of the queue: waiting and failed ones at once; a running one is stopped within a lease.
   * @returns the number of tasks that were taken out
   */
  cancel(ids: readonly string[]): Promise<number>;
  /** Tries failed tasks again, and returns their number. */
  retry(ids: readonly string[]): Promise<number>;
  /** Runs tasks by a function, some at once, until the server that is returned is drained. */
  serve(handle: TaskHandler, options: ServeQueueOptions): Promise<QueueServer>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** The states of tasks that a queue has. Finished ones are forgotten, as their results are in the storage. */
export const QUEUE_STATES = ["waiting", "running", "failed"] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** Number of tasks in each state. */
export type QueueCounts = Readonly<Record<QueueState, number>>;

/** What a queue says of one task. */
export interface QueueEntry {
  readonly id: string;
  readonly label: string;
  readonly kind: string;
  readonly store: string;
  readonly state: QueueState;
  /** Worker that runs it, or ran it last; missing for a task that no worker has had. */
  readonly worker?: string | undefined;
  /** Share of its work that is done, in `[0, 1]`; missing unless it runs. */
  readonly done?: number | undefined;
  /** When it began to run, in milliseconds since 1970; missing unless it runs. */
  readonly began?: number | undefined;
  /** Why it failed, or failed last; missing for a task that never failed. */
  readonly error?: ErrorDescription | undefined;
}

/** A worker that serves a queue. */
export interface QueueWorker {
  readonly name: string;
  /** Seconds since it was heard of; missing where a connection shows that it is there. */
  readonly silent?: number | undefined;
}

/** Something that happened to a task. */
export type QueueEvent = { readonly id: string } & (
  | { readonly kind: "started"; readonly worker: string }
  | { readonly kind: "progress"; readonly worker: string; readonly done: number }
  | { readonly kind: "done"; readonly worker: string; readonly seconds: number }
  /** It failed by a fault of the world, or its worker died, and is tried again. */
  | { readonly kind: "retried"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: ErrorDescription }
);

/** What became of a task that a worker was handed. */
export type TaskOutcome =
  | { readonly kind: "done"; readonly seconds: number }
  /**
   * It fails at once if the input is bad, and is tried again with growing pauses after faults of the world.
   */
  | {
      readonly kind: "failed";
      readonly error: ErrorDescription;
      readonly again: boolean;
      /** Whether the process that ran it died, which counts as the death of a worker does. */
      readonly died?: boolean;
    }
  /** It goes back to the queue without counting as tried, as its worker ends. */
  | { readonly kind: "released" };

/** Runs a task that a queue hands to this worker; it never throws. */
export type TaskHandler = (
  task: QueuedTask,
  control: {
    /** Aborted when the task is cancelled, or its lease is lost. */
    readonly signal: AbortSignal;
    readonly onProgress: (done: number) => void;
  },
) => Promise<TaskOutcome>;

/** How a worker serves a queue. */
export interface ServeQueueOptions extends Partial<QueuePatience> {
  /** Name of the worker, for people. */
  readonly worker: string;
  /** Tasks that run at once. */
  readonly capacity: number;
  /** Called with sentences about trouble with the queue itself, such as a lost connection. */
  readonly onTrouble?: ((sentence: string) => void) | undefined;
}

/** When a queue gives up on a worker, or on a task. */
export interface QueuePatience {
  /** Milliseconds after which a worker that is not heard of has lost its task. */
  readonly lease: number;
  /** Times that a task is tried in all, when faults of the world stop it. */
  readonly attempts: number;
  /** Workers, or processes of workers, that may die with a task before it is set aside. */
  readonly deaths: number;
  /** Milliseconds before a task is tried a second time; each later pause is twice as long, to 60 seconds. */
  readonly pause: number;
}

/** When a queue gives up, unless options say otherwise. */
export const QUEUE_PATIENCE: QueuePatience = { lease: 30_000, attempts: 5, deaths: 3, pause: 1000 };

/** A worker's side of a queue. */
export interface QueueServer {
  /** Number of tasks that run now. */
  readonly running: number;
  /** Takes no more tasks, and returns when the running ones have ended. */
  drain(): Promise<void>;
}
