import { EngineError } from "@isthmus/core";
import type { TaskAssignment, TaskControl } from "../task-executor.ts";
import { reviveError } from "./error-description.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** A thread or process that runs tasks, one at a time. */
export interface TaskWorker {
  /** Kind of the worker for messages: `thread` or `process`. */
  readonly name: string;
  /** Whether the thread or process still runs; one that has ended takes no further task. */
  readonly isAlive: boolean;
  /** Sends a message to the worker: a task to run, or the request to stop it. */
  send(message: ToWorker): void;
  /**
   * Listens to the worker; the returned function ends this.
   * @param onEnd - called with the reason if the worker ends
   */
  listen(
    onMessage: (message: FromWorker) => void,
    onEnd: (reason: string, cause?: unknown) => void,
  ): () => void;
  /** Ends the thread or process at once; the promise resolves when it is gone. */
  terminate(): Promise<unknown>;
}

/** Workers that are started on demand and reused. */
export interface TaskWorkers {
  /** Runs a task on an idle worker, or on a new one if all are busy, and returns its result. */
  run(assignment: TaskAssignment, control: TaskControl): Promise<object>;
  /** Ends all workers, which must be idle. */
  close(): Promise<void>;
}

/** Makes an empty set of workers, which are started by `start`. */
export function createTaskWorkers(start: () => TaskWorker): TaskWorkers {
  const all = new Set<TaskWorker>();
  const idle: TaskWorker[] = [];
  const takeIdle = (): TaskWorker | undefined => {
    for (let worker = idle.pop(); worker !== undefined; worker = idle.pop()) {
      if (worker.isAlive) return worker;
      all.delete(worker);
    }
    return undefined;
  };
  const startNew = (): TaskWorker => {
    const worker = start();
    all.add(worker);
    return worker;
  };
  return {
    async run(assignment, control) {
      const worker = takeIdle() ?? startNew();
      try {
        return await runOn(worker, assignment, control);
      } finally {
        if (worker.isAlive) idle.push(worker);
        else all.delete(worker);
      }
    },
    async close() {
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}

function runOn(
  worker: TaskWorker,
  assignment: TaskAssignment,
  { signal, onProgress }: TaskControl,
): Promise<object> {
  return new Promise((resolve, reject) => {
    const abort = (): void => worker.send({ kind: "abort" });
    const settle = (finish: () => void): void => {
      signal.removeEventListener("abort", abort);
      stopListening();
      finish();
    };
    const stopListening = worker.listen(
      (message) => {
        if (message.kind === "progress") onProgress(message.done);
        else if (message.kind === "done") settle(() => resolve(message.result));
        else settle(() => reject(signal.aborted ? signal.reason : reviveError(message.error)));
      },
      (reason, cause) => settle(() => reject(lostWorker(worker.name, reason, cause))),
    );
    signal.addEventListener("abort", abort);
    worker.send({ kind: "run", assignment });
    if (signal.aborted) abort();
  });
}

/** Errors of workers that ended while they ran a task. */
const losses = new WeakSet<Error>();

function lostWorker(name: string, reason: string, cause: unknown): EngineError {
  const error = new EngineError(`Cannot run a task as its ${name} must go on to the end: ${reason}`, {
    engine: `worker ${name}`,
    cause,
  });
  losses.add(error);
  return error;
}

/**
 * Checks whether an executor of this process threw an error because the thread or process of a task ended: it
 * was killed, took too much memory, or crashed.
 */
export function isLostWorker(error: unknown): boolean {
  return error instanceof Error && losses.has(error);
}
