import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { removeFolders } from "@isthmus/core";
import type { QueueExecutor } from "@isthmus/distributed";
import { createEngine, type EngineName } from "@isthmus/engine";
import type { Engine } from "@isthmus/graph";
import type { Task, TaskControl, TaskExecutor } from "@isthmus/tasks";
import { openQueueExecutor, type QueuePlaces } from "./open-queue.ts";

/**
 * A function that is called with the current step of the preparation of tasks, and with the share that is
 * done.
 */
export type FollowStep = (step: string, share?: number) => void;

/** Options of {@link withQueue}. */
export interface QueuedWork extends QueuePlaces {
  /** Name of the engine that workers must have. @defaultValue "onnxruntime" */
  readonly engine?: EngineName | undefined;
  /** Path of the result; the folder for tasks lies beside it, and is removed once all work is done. */
  readonly beside: string;
  /** Callback for the current step of the preparation of tasks, and for the share that is done. */
  readonly onStep?: FollowStep | undefined;
  /** Signal that stops the work; results of finished tasks stay, so that the same call goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** Executor on the workers of a queue, and the folder in which files and results of tasks lie for them. */
export interface QueueTasks {
  /** Executor whose tasks run on the workers of the queue; it is closed by the function that opened it. */
  readonly executor: Omit<QueueExecutor, "close">;
  /** Folder for files and results of tasks; it is removed once all work is done. */
  readonly folder: string;
  /** Engine that workers must have. */
  readonly engine: Engine;
  /** Callback for the current step of the preparation of tasks, and for the share that is done. */
  readonly onStep: FollowStep;
  /** Signal that stops the work. */
  readonly signal: AbortSignal | undefined;
  /** Runs one task, and returns its result. */
  run(task: Task, signal: AbortSignal | undefined): Promise<object>;
}

/** End of the names of folders for tasks. */
const TASKS = ".isthmus-tasks";

/** Returns the folder for the tasks of a result. */
export function tasksFolderOf(beside: string): string {
  return `${resolve(beside)}${TASKS}`;
}

/**
 * Calls a function with the workers of a queue, and clears up after it. Results of tasks stay if the
 * work fails or is stopped, so that the same call goes on.
 * @example
 * ```ts ignore
 * import { withQueue } from "@isthmus/workers";
 *
 * await withQueue({ queue: "/shared/queue", storage: "/shared", beside: "map.json" }, async (tasks) => {
 *   console.log(tasks.executor.capacity);
 * });
 * ```
 */
export async function withQueue<T>(
  { beside, engine: name = "onnxruntime", onStep = () => {}, signal, ...places }: QueuedWork,
  work: (tasks: QueueTasks) => Promise<T>,
): Promise<T> {
  const folder = tasksFolderOf(beside);
  const created = await createEngine(name);
  // Tasks have the name that workers have, which no graph has run under: an engine that chooses changes it.
  const engine: Engine = { ...created, name: created.name };
  let result: T;
  try {
    const executor = await openQueueExecutor({ ...places, engine: engine.name, folder });
    try {
      result = await work({
        executor,
        folder,
        engine,
        onStep,
        signal,
        run: (task, stop = new AbortController().signal) =>
          runQueuedTask(executor, folder, task, { signal: stop, onProgress() {} }),
      });
      await executor.clear();
    } finally {
      await executor.close();
    }
  } catch (error) {
    // If nothing was queued there is nothing to go on from.
    await removeFolders([folder]);
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
  return result;
}

/**
 * Runs one task on the workers of a queue, and returns its result.
 * @param folder - folder for the results of tasks
 */
export function runQueuedTask(
  executor: Pick<TaskExecutor, "run">,
  folder: string,
  task: Task,
  control: TaskControl,
): Promise<object> {
  const { kind, params, key } = task;
  // The files that it reads are found by the task itself, wherever it runs.
  return executor.run({ kind, params, inputs: {}, folder: join(folder, key), task }, control);
}
