import { UsageError } from "@isthmus/core";
import { parentPort, process } from "@isthmus/platform";
import type { TaskAssignment, TaskControl } from "../task-executor.ts";
import { describeError } from "./error-description.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** Milliseconds between two messages on progress. */
const PROGRESS_MS = 200;

/**
 * Runs the tasks that an executor of `createThreadExecutor` or `createProcessExecutor` sends to this thread
 * or process, one at a time. The script of the worker must call this function once.
 *
 * @param run - runs one task, usually by `runTask` with a registry of kinds
 * @throws UsageError if this is neither a worker thread nor a process that was started for tasks
 */
export function serveTasks(run: (assignment: TaskAssignment, control: TaskControl) => Promise<object>): void {
  const { send, onMessage } = findParent();
  let controller = new AbortController();

  const runAssignment = async (assignment: TaskAssignment): Promise<void> => {
    controller = new AbortController();
    const { signal } = controller;
    let last = Number.NEGATIVE_INFINITY;
    const onProgress = (done: number): void => {
      const now = performance.now();
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
  onMessage((message: ToWorker) => {
    if (message.kind === "abort") controller.abort();
    else void runAssignment(message.assignment);
  });
}

/** Both directions of messages between this worker and its parent. */
interface Parent {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

function findParent(): Parent {
  const port = parentPort;
  if (port !== null) {
    return {
      send: (message) => port.postMessage(message),
      onMessage: (listener) => port.on("message", listener),
    };
  }
  if (process.send === undefined || process.argv[2] !== PROCESS_MARK) {
    throw new UsageError(
      "Cannot serve tasks as this must be a worker thread, or a process that an executor has started: it is neither",
    );
  }
  // Nobody needs the result of a task once the parent is gone.
  process.once("disconnect", () => process.exit());
  // A terminal or Slurm sends signals to all processes of a group: the parent decides about its tasks.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
  return {
    send: (message) => void process.send?.(message),
    onMessage: (listener) => process.on("message", (message) => listener(message as ToWorker)),
  };
}

/** First argument of a process that was started to run tasks. */
export const PROCESS_MARK = "serve-tasks";
