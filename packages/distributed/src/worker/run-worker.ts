import type { TaskExecutor } from "@isthmus/tasks";
import type { QueuedTask } from "../queue/queued-task.ts";
import { QUEUE_PATIENCE, type QueuePatience, type TaskQueue } from "../queue/task-queue.ts";
import type { TaskStorage } from "../storage/task-storage.ts";
import type { Runnable } from "./check-task.ts";
import { createTaskHandler, type EndedTask } from "./handle-task.ts";
import { tellOfNamesake } from "./tell-of-namesake.ts";

/** What a worker works with. */
export interface WorkerOptions extends Runnable, Partial<QueuePatience> {
  readonly queue: TaskQueue;
  readonly storage: TaskStorage;
  /** Runs tasks in processes or threads, never on the event loop, which must say in time that they run. */
  readonly executor: TaskExecutor;
  /** Name that people know the worker by, such as the name of its machine: each worker needs its own. */
  readonly name: string;
  readonly onStart?: ((task: QueuedTask) => void) | undefined;
  readonly onEnd?: ((ended: EndedTask) => void) | undefined;
  /** Called with sentences about trouble with the queue. */
  readonly onTrouble?: ((sentence: string) => void) | undefined;
}

/** A worker that serves a queue. */
export interface TaskWorker {
  /** What it is doing, and what it has done. */
  readonly status: WorkerStatus;
  /** Takes no more tasks, and returns when the running ones have ended. */
  drain(): Promise<void>;
  /** Stops tasks that run, which go back to the queue with what they have done so far, and drains. */
  release(): Promise<void>;
}

/** What a worker is doing, and what it has done. */
export interface WorkerStatus {
  readonly name: string;
  /** Tasks that run, with the share that is done and the seconds since they began. */
  readonly running: readonly {
    readonly label: string;
    readonly kind: string;
    readonly done: number;
    readonly seconds: number;
  }[];
  /** Tasks that have ended, by how. */
  readonly ended: Readonly<Record<"done" | "failed" | "released", number>>;
  /** Seconds of all tasks that have ended. */
  readonly busySeconds: number;
  readonly isDraining: boolean;
}

/**
 * Starts a worker, which runs tasks of a queue until it is drained; a worker of the same name that is there
 * counts as trouble.
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
