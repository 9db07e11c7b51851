import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { isDiskFull, messageOf } from "@isthmus/core";
import type { TaskExecutor, TaskPaths } from "@isthmus/tasks";
import type { QueuedTask } from "../queue/queued-task.ts";
import type { TaskHandler, TaskOutcome } from "../queue/task-queue.ts";
import { assertWithin, partsOf } from "../storage/inside.ts";
import type { TaskPlace, TaskStorage } from "../storage/task-storage.ts";
import { assertRunnable, type Runnable, relocateParams } from "./check-task.ts";
import { classifyFailure } from "./classify-failure.ts";
import { layOutFiles, type NamedFile } from "./lay-out-files.ts";

/** Options of {@link createTaskHandler}. */
export interface HandleTaskOptions extends Runnable {
  /** Storage from which files of tasks are read, and in which results are published. */
  readonly storage: TaskStorage;
  /** Executor that runs tasks of this worker. */
  readonly executor: TaskExecutor;
  /** Name of the worker. */
  readonly name: string;
  /** Signal that is aborted when the worker must end now: its tasks go back to the queue. */
  readonly signal: AbortSignal;
  /** Called with every task that has ended. */
  readonly onEnd?: ((ended: EndedTask) => void) | undefined;
}

/** A task that has ended on this worker. */
export interface EndedTask {
  /** Entry of the task. */
  readonly task: QueuedTask;
  /** Outcome of the task: done, failed, or given back. */
  readonly outcome: TaskOutcome;
  /** Seconds from checking the task to its end. */
  readonly seconds: number;
}

/** Makes the function that runs a task of the queue, from checking the task to publishing its files. */
export function createTaskHandler(options: HandleTaskOptions): TaskHandler {
  return async (task, control) => {
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    const signal = AbortSignal.any([control.signal, options.signal]);
    const release = (): Promise<void> => options.storage.release(task).catch(() => {});
    const trying = attempt(task, { ...control, signal }, options).finally(release);
    const outcome = await trying.then(
      (): TaskOutcome => ({ kind: "done", seconds: seconds() }),
      (error: unknown): TaskOutcome => {
        if (signal.aborted) return { kind: "released" };
        // Another worker has another disk, unless the files of all are on one.
        if (!options.storage.isShared && isDiskFull(error))
          return { kind: "released", reason: messageOf(error) };
        return { kind: "failed", ...classifyFailure(error) };
      },
    );
    options.onEnd?.({ task, outcome, seconds: seconds() });
    return outcome;
  };
}

/** Makes one attempt at a task; an interrupted attempt leaves its files for the next one to go on from. */
async function attempt(
  queued: QueuedTask,
  { signal, onProgress }: Parameters<TaskHandler>[1],
  options: HandleTaskOptions,
): Promise<void> {
  const { storage, executor, name } = options;
  const { task, store } = queued;
  const { key, kind, label } = task;
  const place = { store, key };
  const taskKind = assertRunnable(queued, options);
  const { root } = storage;
  const results = await realFolder(root, store, "the store");
  if ((await storage.read(place)) !== undefined) return;
  const { inputs, named } = await openInputs(queued, storage);
  const directory =
    named.length === 0
      ? await realFolder(root, queued.directory, "the working folder")
      : await layOutFiles(root, named);
  const params = await relocateParams(taskKind, task, { from: queued.root, root, directory });
  signal.throwIfAborted();
  const folder = await storage.begin(place, randomUUID());
  const began = performance.now();
  let isPublished = false;
  try {
    const assignment = {
      kind,
      params,
      inputs,
      directory,
      store: results,
      within: root,
      folder: await assertWithin(root, folder),
    };
    const result = await executor.run(assignment, { signal, onProgress });
    signal.throwIfAborted();
    const seconds = (performance.now() - began) / 1000;
    const published = { ...place, kind, label, params: task.params, result };
    await storage.publish(folder, { ...published, seconds, worker: name });
    isPublished = true;
  } finally {
    // A full disk or a lost share must not hide why the task failed.
    if (!isPublished) await leave(storage, place, folder).catch(() => {});
  }
}

/**
 * Returns the path, with all links resolved, of a folder that a queue names by its path within the storage.
 */
async function realFolder(root: string, path: string, what: string): Promise<string> {
  return assertWithin(root, join(root, ...partsOf(path, what)));
}

/** Leaves the files of an attempt to the next one, unless another attempt was published meanwhile. */
async function leave(storage: TaskStorage, place: TaskPlace, folder: string): Promise<void> {
  const isOver = (await storage.read(place)) !== undefined;
  await storage.leave(folder, { keep: !isOver });
}

/** Makes the files that a task reads available on this machine. */
async function openInputs(
  queued: QueuedTask,
  storage: TaskStorage,
): Promise<{ readonly inputs: TaskPaths; readonly named: readonly NamedFile[] }> {
  const inputs: Record<string, string[]> = {};
  const named: NamedFile[] = [];
  for (const [role, files] of Object.entries(queued.task.inputs)) {
    const opened: string[] = [];
    for (const file of files) {
      const path = await storage.openFile(file, queued);
      opened.push(path);
      if ("path" in file && file.name !== undefined) named.push({ name: file.name, path });
    }
    inputs[role] = opened;
  }
  return { inputs, named };
}
