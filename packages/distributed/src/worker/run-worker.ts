import type { TaskExecutor } from "@isthmus/tasks";
import { QUEUE_PATIENCE, type QueuePatience } from "../queue/queue-patience.ts";
import type { QueuedTask } from "../queue/queued-task.ts";
import type { TaskQueue } from "../queue/task-queue.ts";
import type { TaskStorage } from "../storage/task-storage.ts";
import type { Runnable } from "./check-task.ts";
import { createTaskHandler, type EndedTask } from "./handle-task.ts";
import { tellOfNamesake } from "./tell-of-namesake.ts";

/** Options of {@link runWorker}. */
export interface WorkerOptions extends Runnable, Partial<QueuePatience> {
  /** Queue whose tasks the worker runs. */
  readonly queue: TaskQueue;
  /** Storage from which files of tasks are read, and in which results are published. */
  readonly storage: TaskStorage;
  /**
   * Executor that runs tasks in processes or threads, never on the event loop, which must renew leases in
   * time.
   */
  readonly executor: TaskExecutor;
  /** Name of the worker for people, such as the name of its machine; unique to each worker. */
  readonly name: string;
  /** Called with every task that begins on this worker. @defaultValue no reports */
  readonly onStart?: ((task: QueuedTask) => void) | undefined;
  /** Called with every task that has ended on this worker. @defaultValue no reports */
  readonly onEnd?: ((ended: EndedTask) => void) | undefined;
  /** Called with sentences about trouble with the queue. */
  readonly onTrouble?: ((sentence: string) => void) | undefined;
}

/** A worker that serves a queue. */
export interface TaskWorker {
  /** Running and ended tasks of the worker. */
  readonly status: WorkerStatus;
  /** Stops taking tasks, and returns when the running ones have ended. */
  drain(): Promise<void>;
  /** Stops running tasks, which go back to the queue with their files, and drains. */
  release(): Promise<void>;
}

/** Running and ended tasks of a worker. */
export interface WorkerStatus {
  /** Name of the worker for people. */
  readonly name: string;
  /** Running tasks, each with the share that is done and the seconds since it began. */
  readonly running: readonly {
    readonly label: string;
    readonly kind: string;
    readonly done: number;
    readonly seconds: number;
  }[];
  /** Number of ended tasks, by outcome. */
  readonly ended: Readonly<Record<"done" | "failed" | "released", number>>;
  /** Total seconds of all ended tasks. */
  readonly busySeconds: number;
  /** Whether the worker takes no more tasks, and ends once the running ones have ended. */
  readonly isDraining: boolean;
}

/**
 * Starts a worker, which runs tasks of a queue until it is drained; another worker of the same name is
 * reported as trouble.
 */
export async function runWorker(options: WorkerOptions): Promise<TaskWorker> {
  const { queue, name, executor, onStart, onEnd, onTrouble, lease, attempts, deaths, pause } = options;
  const stopping = new AbortController();
  const running = new Map<QueuedTask, { done: number; began: number }>();
  const ended = { done: 0, failed: 0, released: 0 };
  let busySeconds = 0;
  let isDraining = false;
  const handle = createTaskHandler({
    ...options,
    signal: stopping.signal,
    onEnd(each) {
      running.delete(each.task);
      ended[each.outcome.kind]++;
      busySeconds += each.seconds;
      onEnd?.(each);
    },
  });
  const patience = Object.fromEntries(
    Object.entries({ lease, attempts, deaths, pause }).filter(([, value]) => value !== undefined),
  );
  const namesake = await tellOfNamesake(queue, name, {
    pause: lease ?? QUEUE_PATIENCE.lease,
    tell: onTrouble ?? (() => {}),
  });
  const server = await queue.serve(
    (task, control) => {
      const state = { done: 0, began: performance.now() };
      running.set(task, state);
      onStart?.(task);
      const onProgress = (done: number): void => {
        state.done = done;
        control.onProgress(done);
      };
      return handle(task, { ...control, onProgress });
    },
    { worker: name, capacity: executor.capacity, onTrouble, ...patience },
  );
  namesake.begin();
  const drain = (): Promise<void> => {
    isDraining = true;
    namesake.end();
    return server.drain();
  };
  return {
    get status() {
      const tasks = [...running].map(([{ task }, { done, began }]) => ({
        label: task.label,
        kind: task.kind,
        done,
        seconds: (performance.now() - began) / 1000,
      }));
      return { name, running: tasks, ended: { ...ended }, busySeconds, isDraining };
    },
    drain,
    release() {
      stopping.abort(new DOMException("The worker ends", "AbortError"));
      return drain();
    },
  };
}
