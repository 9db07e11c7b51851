import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createFolder, FormatError, readJsonFile, saveFile, takeLock } from "@isthmus/core";
import type { Task } from "../plan/task.ts";

/** Results and files of tasks, each under the key of its task. */
export interface TaskStore {
  /** Folder of a task's files. */
  folderOf(key: string): string;
  /** Result of a task that is finished. */
  read(key: string): Promise<object | undefined>;
  /** Makes the folder of a task, and clears it of files that were cut off. */
  begin(key: string): Promise<void>;
  /** Keeps a result, which finishes its task. */
  finish(task: Task, result: object, seconds: number): Promise<void>;
  /** Lets others use the folder. */
  close(): Promise<void>;
}

const RESULT_FILE = "result.json";
const LOCK_FILE = ".lock";
/** Apart from the result, which says nothing of time. */
const TIME_FILE = "time.json";

/**
 * Opens a folder of results, which is made if it is missing; one process at a time.
 *
 * A task is finished once its result is there, which is written last, whole or not at all.
 * @throws InputError if another process that is alive uses it, or it cannot be made
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
    async finish({ key, kind, label, params }, result, seconds) {
      await saveFile(join(folderOf(key), TIME_FILE), `${JSON.stringify({ seconds })}\n`);
      const told = { kind, label, params, result };
      await saveFile(join(folderOf(key), RESULT_FILE), `${JSON.stringify(told, null, 2)}\n`);
    },
    close: unlock,
  };
}

/**
 * Result of a task in a folder of results; undefined if it is not finished.
 * @throws InputError or FormatError if the file of the result is there and cannot be read, or is something
 *   else
 */
export async function readTaskResult(folder: string, key: string): Promise<object | undefined> {
  const path = join(folder, key, RESULT_FILE);
  if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
  const { result } = ((await readJsonFile(path)) ?? {}) as { result?: unknown };
  if (typeof result === "object" && result !== null) return result;
  throw new FormatError(
    `Cannot read "${path}" as it must hold the result of a task: it holds none; remove its folder to run the task again`,
    { format: "task result" },
  );
}
