import { readJsonFile } from "@isthmus/core";
import { join, readdir } from "@isthmus/platform";
import { TASK_TIME_FILE, type TaskTime } from "./task-store.ts";

/** Work of one worker. */
export interface WorkerShare {
  /** Name under which the worker signed its results. */
  readonly worker: string;
  /** Number of tasks that the worker finished. */
  readonly tasks: number;
  /** Total seconds of these tasks. */
  readonly seconds: number;
}

/**
 * Adds up the finished tasks in a folder of results by worker, in the order of the workers' names. Tasks that
 * ran in threads of the process that waited are left out.
 */
export async function sumByWorker(folder: string): Promise<readonly WorkerShare[]> {
  const shares = new Map<string, WorkerShare>();
  for (const key of await readdir(folder)) {
    const { worker, seconds } = await readTime(join(folder, key));
    if (worker === undefined) continue;
    const share = shares.get(worker) ?? { worker, tasks: 0, seconds: 0 };
    shares.set(worker, { worker, tasks: share.tasks + 1, seconds: share.seconds + seconds });
  }
  return [...shares.values()].sort((a, b) => (a.worker < b.worker ? -1 : 1));
}

/** Reads the duration of a task; the worker is missing if the file does not exist or names none. */
async function readTime(folder: string): Promise<TaskTime> {
  const time = await readJsonFile(join(folder, TASK_TIME_FILE)).catch(() => undefined);
  const { worker, seconds } = (time ?? {}) as { worker?: unknown; seconds?: unknown };
  return typeof worker === "string" && typeof seconds === "number" ? { worker, seconds } : { seconds: 0 };
}
