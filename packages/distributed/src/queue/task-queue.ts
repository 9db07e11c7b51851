import type { ErrorDescription } from "@isthmus/tasks";
import type { QueuePatience } from "./queue-patience.ts";
import type { QueuedTask } from "./queued-task.ts";

/**
 * A port: hands tasks to workers on any machine, each task to one worker at a time, and reports their
 * outcomes to the commands that wait. A queue may lose or repeat tasks without harm, as only results that are
 * published in the storage count.
 */
export interface TaskQueue {
  /** Name of the queue for people, without user names and passwords. */
  readonly name: string;
  /** Adds tasks; waiting and running tasks are left alone, failed ones are tried again. */
  add(tasks: readonly QueuedTask[]): Promise<void>;
  /**
   * Listens to the events of the tasks of one store from now on; the returned function ends this. An event
   * may arrive twice, or be lost if the connection is interrupted.
   */
  follow(store: string, listener: (event: QueueEvent) => void): Promise<() => Promise<void>>;
  /** Finds tasks by their ids; undefined for ids that are not in the queue. */
  find(ids: readonly string[]): Promise<readonly (QueueEntry | undefined)[]>;
  /** Counts the tasks in each state. */
  count(): Promise<QueueCounts>;
  /** Lists at most `limit` tasks in a state. */
  list(state: QueueState, limit: number): Promise<readonly QueueEntry[]>;
  /** Lists the workers that serve the queue now, including each of several with the same name. */
  workers(): Promise<readonly QueueWorker[]>;
  /**
   * Takes tasks out of the queue: waiting and failed ones at once; a running one is stopped within a lease.
   * @returns the number of tasks that were taken out
   */
  cancel(ids: readonly string[]): Promise<number>;
  /** Tries failed tasks again, and returns their number. */
  retry(ids: readonly string[]): Promise<number>;
  /** Runs tasks by a function, up to `capacity` at once, until the returned server is drained. */
  serve(handle: TaskHandler, options: ServeQueueOptions): Promise<QueueServer>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** States of tasks in a queue. Finished tasks are forgotten, as their results are in the storage. */
export const QUEUE_STATES = ["waiting", "running", "failed"] as const;
/** One of {@link QUEUE_STATES}. */
export type QueueState = (typeof QUEUE_STATES)[number];

/** Number of tasks in each state. */
export type QueueCounts = Readonly<Record<QueueState, number>>;

/** State of one task in a queue. */
export interface QueueEntry {
  /** Id of the entry, by which tasks are cancelled and tried again. */
  readonly id: string;
  /** Label of the task for people. */
  readonly label: string;
  /** Name of the task's kind. */
  readonly kind: string;
  /** Folder of results within the storage, with `/` between its parts. */
  readonly store: string;
  /** State of the task: it waits, runs, or has failed for good. */
  readonly state: QueueState;
  /** Worker that runs the task, or ran it last; missing before the first. */
  readonly worker?: string | undefined;
  /** Share of the task that is done, in `[0, 1]`; missing unless it runs. */
  readonly done?: number | undefined;
  /** Time when the task began to run, in milliseconds since 1970; missing unless it runs. */
  readonly began?: number | undefined;
  /** Latest error of the task; missing for a task that never failed. */
  readonly error?: ErrorDescription | undefined;
}

/** A worker that serves a queue. */
export interface QueueWorker {
  /** Name of the worker for people; several workers may have the same name. */
  readonly name: string;
  /**
   * Seconds since the worker's last sign of life; missing if an open connection shows that the worker lives.
   */
  readonly silent?: number | undefined;
}

/** An event in the life of a task. */
export type QueueEvent = { /** Id of the task. */ readonly id: string } & (
  | {
      /** Tag of the event that a worker began the task. */
      readonly kind: "started";
      /** Name of the worker that began the task. */
      readonly worker: string;
    }
  | {
      /** Tag of the event that the task went on. */
      readonly kind: "progress";
      /** Name of the worker that runs the task. */
      readonly worker: string;
      /** Share of the task that is done, in `[0, 1]`. */
      readonly done: number;
    }
  | {
      /** Tag of the event that the result is published. */
      readonly kind: "done";
      /** Name of the worker that published the result. */
      readonly worker: string;
      /** Seconds that the task took. */
      readonly seconds: number;
    }
  /** The task failed for a reason outside it, or its worker died, and it is tried again. */
  | {
      /** Tag of the event that the task is tried again. */
      readonly kind: "retried";
      /** Reason why the task did not end, for people. */
      readonly reason: string;
    }
  | {
      /** Tag of the event that the task failed for good. */
      readonly kind: "failed";
      /** Error of the task. */
      readonly error: ErrorDescription;
    }
);

/** Outcome of a task that a worker was handed. */
export type TaskOutcome =
  | {
      /** Tag of a task that succeeded. */
      readonly kind: "done";
      /** Seconds that the task took. */
      readonly seconds: number;
    }
  /**
   * The task failed: for good if its input is bad; after faults such as a full disk it is tried again, with
   * growing pauses.
   */
  | {
      /** Tag of a task that failed. */
      readonly kind: "failed";
      /** Error of the task, or of the worker. */
      readonly error: ErrorDescription;
      /** Whether the task is tried again, as the error may pass. */
      readonly again: boolean;
      /** Whether the process that ran the task died, which counts as the death of a worker does. */
      readonly died?: boolean;
    }
  /**
   * The task goes back to the queue without counting as tried: at once if its worker ends, and after a pause
   * if its worker has no room for it.
   */
  | {
      /** Tag of a task that its worker gives back. */
      readonly kind: "released";
      /** Reason why a worker that goes on cannot run the task; missing if the worker ends. */
      readonly reason?: string;
    };

/** Runs a task that a queue hands to this worker; never rejects. */
export type TaskHandler = (
  task: QueuedTask,
  control: {
    /** Signal that is aborted when the task is cancelled, or its lease is lost. */
    readonly signal: AbortSignal;
    /** Called with the share of the task that is done, in `[0, 1]`. */
    readonly onProgress: (done: number) => void;
  },
) => Promise<TaskOutcome>;

/** Options of {@link TaskQueue.serve}. */
export interface ServeQueueOptions extends Partial<QueuePatience> {
  /** Name of the worker, for people. */
  readonly worker: string;
  /** Maximum number of tasks that run at once. */
  readonly capacity: number;
  /** Called with sentences about trouble with the queue itself, such as a lost connection. */
  readonly onTrouble?: ((sentence: string) => void) | undefined;
}

/** Handle by which a worker controls its part in serving a queue. */
export interface QueueServer {
  /** Number of tasks that run now. */
  readonly running: number;
  /** Stops taking tasks, and returns when the running ones have ended. */
  drain(): Promise<void>;
}
