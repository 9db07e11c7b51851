import { Worker } from "@isthmus/platform";
import type { TaskExecutor } from "../task-executor.ts";
import { createTaskWorkers, type TaskWorker } from "./task-worker.ts";
import { workerFlags } from "./worker-flags.ts";

/** Executor that runs tasks in threads of this process. */
export interface ThreadExecutor extends TaskExecutor {
  /** Ends the threads, which must be idle. */
  close(): Promise<void>;
}

/** Options of {@link createThreadExecutor}. */
export interface ThreadExecutorOptions {
  /** Maximum number of tasks that run at once, each in its own thread. */
  readonly capacity: number;
  /** Value of `workerData` in each worker. */
  readonly workerData?: unknown;
}

/**
 * Makes an executor that runs every task in a worker thread. Threads are started on demand and reused. The
 * error of a task in its thread is thrown here as an error of the same class, with the same message and
 * properties, but without its cause.
 *
 * @param script - module of the worker, which calls `serveTasks`
 */
export function createThreadExecutor(
  script: URL,
  { capacity, workerData }: ThreadExecutorOptions,
): ThreadExecutor {
  const start = (): TaskWorker => startThread(new Worker(script, { workerData, ...workerFlags() }));
  return { capacity, ...createTaskWorkers(start) };
}

function startThread(thread: Worker): TaskWorker {
  let isAlive = true;
  for (const end of ["error", "exit"]) {
    thread.on(end, () => {
      isAlive = false;
    });
  }
  return {
    name: "thread",
    get isAlive() {
      return isAlive;
    },
    send: (message) => thread.postMessage(message),
    listen(onMessage, onEnd) {
      const crash = (error: Error): void => onEnd(error.message, error);
      const leave = (code: number): void => onEnd(`it ended with code ${code}`);
      thread.on("message", onMessage).on("error", crash).on("exit", leave);
      return () => thread.off("message", onMessage).off("error", crash).off("exit", leave);
    },
    terminate: () => thread.terminate(),
  };
}
