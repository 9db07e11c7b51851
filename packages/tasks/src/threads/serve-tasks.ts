import { parentPort } from "node:worker_threads";
import { UsageError } from "@isthmus/core";
import type { TaskAssignment, TaskControl } from "../task-executor.ts";
import { describeError } from "./error-description.ts";
import type { FromWorker, ToWorker } from "./thread-messages.ts";

/** Milliseconds between two messages on progress. */
const PROGRESS_MS = 200;

/**
 * Runs the tasks that the executor of {@link createThreadExecutor} sends to this worker thread, one at a
 * time. The script of the worker calls it once.
 *
 * @param run - runs one task, usually by `runTask` with a registry of kinds
 * @throws UsageError if this is not a worker thread
 */
export function serveTasks(run: (assignment: TaskAssignment, control: TaskControl) => Promise<object>): void {
  const port = parentPort;
  if (port === null)
    throw new UsageError("Cannot serve tasks as this must be a worker thread: it is the main one");
  const send = (message: FromWorker): void => port.postMessage(message);
  let controller = new AbortController();

  const runAssignment = async (assignment: TaskAssignment): Promise<void> => {
    controller = new AbortController();
    const { signal } = controller;
    let last = 0;
    const onProgress = (done: number): void => {
      const now = Date.now();
      if (now - last < PROGRESS_MS) return;
      last = now;
      send({ kind: "progress", done });
    };
    try {
      send({ kind: "done", result: await run(assignment, { signal, onProgress }) });
    } catch (error) {
      send({ kind: "failed", error: describeError(error) });
    }
  };
  port.on("message", (message: ToWorker) => {
    if (message.kind === "abort") controller.abort();
    else void runAssignment(message.assignment);
  });
}
