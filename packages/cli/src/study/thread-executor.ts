import { Worker } from "node:worker_threads";
import { EngineError, InputError } from "@isthmus/core";
import type { TaskAssignment, TaskControl, TaskExecutor } from "@isthmus/study";
import type { EngineName } from "../options/engine-option.ts";
import type { FromWorker, StudyWorkerData, ToWorker } from "./study-messages.ts";

/** Runs tasks in threads of this process. */
export interface ThreadExecutor extends TaskExecutor {
  /** Ends the threads, which must be idle. */
  close(): Promise<void>;
}

/** Makes an executor of so many threads, each with an engine of its own that uses one; they are started when needed. */
export function createThreadExecutor(capacity: number, engine: EngineName): ThreadExecutor {
  const alive = new Set<Worker>();
  const idle: Worker[] = [];
  const start = (): Worker => {
    const data: StudyWorkerData = { engine };
    const worker = new Worker(new URL("./study-worker.js", import.meta.url), { workerData: data });
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
      else
        settle(() =>
          message.kind === "done" ? resolve(message.result) : reject(failureOf(message, signal)),
        );
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

/** An error that is explained as it was in the thread. */
function failureOf(
  { message, exitCode }: Extract<FromWorker, { kind: "failed" }>,
  signal: AbortSignal,
): unknown {
  if (signal.aborted) return signal.reason;
  return exitCode === 2
    ? new InputError(message, { input: "task" })
    : new EngineError(message, { engine: "worker thread" });
}
