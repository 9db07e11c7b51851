import { createFolder, FormatError, readJsonFile, saveFile, takeLock } from "@isthmus/core";
import { join, readdir, rm, stat } from "@isthmus/platform";
import type { Task } from "./task.ts";

/** Results and files of tasks, each under the key of its task. */
export interface TaskStore {
  /** Returns the folder of a task's files. */
  folderOf(key: string): string;
  /** Reads the result of a task; undefined if it is not finished. */
  read(key: string): Promise<object | undefined>;
  /** Makes the folder of a task, and removes unfinished files from it. */
  begin(key: string): Promise<void>;
  /** Writes the result of a task, which marks it as finished. */
  finish(task: Task, result: object, seconds: number): Promise<void>;
  /** Releases the folder for other processes. */
  close(): Promise<void>;
}

/** Name of the file of a task's result, in the folder of the task. */
export const TASK_RESULT_FILE = "result.json";
/** Name of the file with the seconds that a task took, which are not part of its result. */
export const TASK_TIME_FILE = "time.json";
const LOCK_FILE = ".lock";

/**
 * Opens a folder of results for this process alone; a missing folder is made.
 *
 * A task is finished once its result exists. The result is written last, under another name, and renamed.
 * @throws InputError if another running process uses the folder, or the folder cannot be made
 */
export async function openTaskStore(folder: string): Promise<TaskStore> {
  await createFolder(folder);
  const unlock = await takeLock(join(folder, LOCK_FILE), folder);
  const folderOf = (key: string): string => join(folder, key);
  return {
    folderOf,
    read: (key) => readTaskResult(folder, key),
    async begin(key) {
      await createFolder(folderOf(key));
      for (const name of await readdir(folderOf(key))) {
        if (name.endsWith(".tmp")) await rm(join(folderOf(key), name), { force: true });
      }
    },
    finish: (task, result, seconds) => writeTaskResult(folderOf(task.key), task, result, { seconds }),
    close: unlock,
  };
}

/** Duration of a task, and the worker that ran it if that may be any machine. */
export interface TaskTime {
  /** Seconds from the beginning of the task to its result. */
  readonly seconds: number;
  /** Name of the worker; missing for threads of the process that waited. */
  readonly worker?: string;
}

/**
 * Writes the result of a task into the folder of its files, as the last file, which marks the task as
 * finished.
 */
export async function writeTaskResult(
  folder: string,
  { kind, label, params }: Pick<Task, "kind" | "label" | "params">,
  result: object,
  time: TaskTime,
): Promise<void> {
  await saveFile(join(folder, TASK_TIME_FILE), `${JSON.stringify(time)}\n`);
  const text = JSON.stringify({ kind, label, params, result }, null, 2);
  await saveFile(join(folder, TASK_RESULT_FILE), `${text}\n`);
}

/**
 * Reads the result of a task in a folder of results, without opening the folder as a store.
 *
 * @returns undefined if the task is not finished
 * @throws InputError or FormatError if the file of the result exists, but cannot be read or contains no
 *   result
 */
export async function readTaskResult(folder: string, key: string): Promise<object | undefined> {
  const path = join(folder, key, TASK_RESULT_FILE);
  if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
  const { result } = ((await readJsonFile(path)) ?? {}) as { result?: unknown };
  if (typeof result === "object" && result !== null) return result;
  throw new FormatError(
    `Cannot read "${path}" as it must hold the result of a task: it holds none; remove its folder to run the task again`,
    { format: "task result" },
  );
}
