import { Worker } from "node:worker_threads";
import { EngineError } from "@isthmus/core";
import type { TaskAssignment, TaskControl, TaskExecutor } from "../task-executor.ts";
import { reviveError } from "./error-description.ts";
import type { FromWorker, ToWorker } from "./thread-messages.ts";

/** Runs tasks in threads of this process. */
export interface ThreadExecutor extends TaskExecutor {
  /** Ends the threads, which must be idle. */
  close(): Promise<void>;
}

/** Options of {@link createThreadExecutor}. */
export interface ThreadExecutorOptions {
  /** Tasks that run at once, each in a thread of its own. */
  readonly capacity: number;
  /** What each worker finds as its `workerData`. */
  readonly workerData?: unknown;
}

/**
 * Makes an executor that runs every task in a worker thread. Threads are started when they are needed, and
 * used again. The error that a task fails with in its thread is thrown here as one of the same class, with
 * the same message and properties, but without its cause.
 *
 * @param script - module of the worker, which calls `serveTasks`
 */
export function createThreadExecutor(
  script: URL,
  { capacity, workerData }: ThreadExecutorOptions,
): ThreadExecutor {
  const alive = new Set<Worker>();
  const idle: Worker[] = [];
  const start = (): Worker => {
    const worker = new Worker(script, { workerData, ...threadFlags() });
    alive.add(worker);
    for (const end of ["error", "exit"]) worker.on(end, () => alive.delete(worker));
    return worker;
  };
  return {
    capacity,
    async run(assignment, control) {
      const worker = idle.pop() ?? start();
      try {
        return await runOn(worker, assignment, control);
      } finally {
        if (alive.has(worker)) idle.push(worker);
      }
    },
    async close() {
      await Promise.all([...alive].map((worker) => worker.terminate()));
    },
  };
}

/**
 * Returns the flags of Node for threads where they must not be the flags of the process: a program that is
 * given on the command line has a flag for its type, which a thread that runs a file refuses.
 */
function threadFlags(): { readonly execArgv?: string[] } {
  const flags = process.execArgv;
  if (!flags.some((flag) => flag.startsWith("--input-type"))) return {};
  return { execArgv: flags.filter((flag) => flag.startsWith("--conditions=")) };
}

function runOn(
  worker: Worker,
  assignment: TaskAssignment,
  { signal, onProgress }: TaskControl,
): Promise<object> {
  return new Promise((resolve, reject) => {
    const send = (message: ToWorker): void => worker.postMessage(message);
    const abort = (): void => send({ kind: "abort" });
    const listen = (message: FromWorker): void => {
      if (message.kind === "progress") onProgress(message.done);
      else if (message.kind === "done") settle(() => resolve(message.result));
      else settle(() => reject(signal.aborted ? signal.reason : reviveError(message.error)));
    };
    const crash = (error: Error): void => settle(() => reject(lostThread(error.message, error)));
    const leave = (code: number): void => settle(() => reject(lostThread(`it ended with code ${code}`)));
    const settle = (finish: () => void): void => {
      signal.removeEventListener("abort", abort);
      worker.off("message", listen).off("error", crash).off("exit", leave);
      finish();
    };
    worker.on("message", listen).on("error", crash).on("exit", leave);
    signal.addEventListener("abort", abort);
    send({ kind: "run", assignment });
    if (signal.aborted) abort();
  });
}

function lostThread(reason: string, cause?: unknown): EngineError {
  return new EngineError(`Cannot run a task as its thread must go on to the end: ${reason}`, {
    engine: "worker thread",
    cause,
  });
}
