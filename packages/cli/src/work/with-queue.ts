import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { removeFolders } from "@isthmus/core";
import type { QueueExecutor } from "@isthmus/distributed";
import type { Task, TaskControl, TaskExecutor } from "@isthmus/tasks";
import { createEngine, type EngineOptions } from "../options/engine-option.ts";
import { assertQueue, openQueueExecutor, type QueueOptions, tasksLeft } from "../options/queue-options.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import type { Context } from "../verb.ts";

/** The workers of a queue, and where files and results of tasks lie for them. */
export interface QueueTasks {
  readonly executor: Omit<QueueExecutor, "close">;
  /** Folder for files and results of tasks; it is removed once all work is done. */
  readonly folder: string;
  /** Of the command that waits. */
  readonly context: Context;
  /** Name of the engine that workers must have. */
  readonly engine: string;
  /** Runs one task, and returns its result. */
  run(task: Task, signal: AbortSignal | undefined): Promise<object>;
}

/** Which work tasks are part of. */
export interface QueuedWork {
  readonly verb: string;
  /** Path of a result, beside which the folder for tasks lies. */
  readonly beside: string;
  readonly context: Context;
}

/** End of the names of folders for tasks. */
const TASKS = ".isthmus-tasks";

/**
 * Calls a function with the workers of a queue, or with undefined if the options name none, and clears up
 * after it. What tasks have found stays if the work fails or is stopped, so that the same command goes on.
 * @throws UsageError if there is a queue without a storage, or a storage without a queue
 */
export async function withQueue<T>(
  options: QueueOptions & EngineOptions,
  { verb, beside, context }: QueuedWork,
  work: (tasks: QueueTasks | undefined) => Promise<T>,
): Promise<T> {
  assertQueue(options);
  if (options.queue === undefined) return work(undefined);
  const folder = `${resolve(beside)}${TASKS}`;
  const engine = (await createEngine(options.engine)).name;
  const onQueue = async (): Promise<T> => {
    const executor = await openQueueExecutor(options, { folder, context });
    try {
      const result = await work({
        ...{ executor, folder, engine, context },
        run: (task, signal = new AbortController().signal) =>
          runQueuedTask(executor, folder, task, { signal, onProgress() {} }),
      });
      await executor.clear();
      return result;
    } finally {
      await executor.close();
    }
  };
  let result: T;
  try {
    result = await sayHowToGoOn({ verb, left: () => tasksLeft(options, folder) }, context, onQueue);
  } catch (error) {
    // Where nothing was queued there is nothing to go on from.
    await removeFolders([folder]);
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
  return result;
}

/**
 * Runs one task on the workers of a queue, and returns its result.
 * @param folder - where results of tasks are stored
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
