import {
  type ChildProcess,
  createInterface,
  fileURLToPath,
  fork,
  once,
  type Readable,
} from "@isthmus/platform";
import type { TaskExecutor } from "../task-executor.ts";
import { watchMemory } from "./process-memory.ts";
import { PROCESS_MARK } from "./serve-tasks.ts";
import { createTaskWorkers, type TaskWorker } from "./task-worker.ts";
import { workerFlags } from "./worker-flags.ts";
import type { FromWorker } from "./worker-messages.ts";

/** Executor that runs each task in a separate process. */
export interface ProcessExecutor extends TaskExecutor {
  /** Ends the processes, which must be idle. */
  close(): Promise<void>;
}

/** Options of {@link createProcessExecutor}. */
export interface ProcessExecutorOptions {
  /** Maximum number of tasks that run at once, each in its own process. */
  readonly capacity: number;
  /** Arguments of each process, in its `process.argv` from the fourth entry on. @defaultValue none */
  readonly args?: readonly string[];
  /** Memory in bytes above which a process is ended; checked only on Linux. @defaultValue no limit */
  readonly memory?: number | undefined;
  /** Called with each line that the processes print. @defaultValue the lines are dropped */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Milliseconds that a process may take to end after a request. */
const END_MS = 2000;

/**
 * Makes an executor that runs every task in its own process: a task that takes too much memory, or crashes,
 * does not end other tasks. Processes are started on demand and reused; they end when this process ends.
 *
 * @param script - module of each process, which calls `serveTasks`
 */
export function createProcessExecutor(
  script: URL,
  { capacity, args = [], memory, onLine }: ProcessExecutorOptions,
): ProcessExecutor {
  const start = (): TaskWorker => {
    const child = fork(fileURLToPath(script), [PROCESS_MARK, ...args], {
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      ...workerFlags(),
    });
    for (const stream of [child.stdout, child.stderr]) passLines(stream, onLine);
    return startProcess(child, memory);
  };
  return { capacity, ...createTaskWorkers(start) };
}

/**
 * Passes on the output of a process. It is read even without a listener, as the process would otherwise
 * block.
 */
function passLines(stream: Readable | null, onLine: (line: string) => void = () => {}): void {
  if (stream !== null) createInterface(stream).on("line", onLine);
}

function startProcess(child: ChildProcess, memory: number | undefined): TaskWorker {
  let end: string | undefined;
  const memoryWatch = watchMemory(child.pid, memory, (reason) => {
    end = reason;
    child.kill("SIGKILL");
  });
  child.once("error", (error) => {
    end ??= error.message;
  });
  child.once("exit", (code, signal) => {
    memoryWatch.stop();
    end ??= signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
  });
  return {
    name: "process",
    get isAlive() {
      return end === undefined && child.connected;
    },
    send(message) {
      // The end of a process is reported separately.
      if (child.connected) child.send(message, () => {});
    },
    listen(onMessage, onEnd) {
      const receive = (message: unknown): void => onMessage(message as FromWorker);
      const leave = (): void => onEnd(end ?? "it could not be started");
      if (end !== undefined) queueMicrotask(leave);
      child.on("message", receive).once("exit", leave).once("error", leave);
      return () => child.off("message", receive).off("exit", leave).off("error", leave);
    },
    terminate: () => endProcess(child),
  };
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  await exited;
  clearTimeout(timer);
}
