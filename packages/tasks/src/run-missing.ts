import { findMissing } from "./find-missing.ts";
import { type RunTasksOptions, runTasks, type TaskFailure } from "./run-tasks.ts";
import type { Task } from "./task.ts";
import { openTaskStore } from "./task-store.ts";

/** Where results of tasks are, and what missing ones are run with. */
export interface RunMissingOptions extends Omit<RunTasksOptions, "store"> {
  /**
   * Folder for results and files of tasks; made if it is missing. Results that it holds are used and not made
   * again.
   */
  readonly folder: string;
}

/** What became of tasks of which some may have been finished before. */
export interface RunMissingResult {
  /** Results, by key, of all finished tasks that are needed or were run. */
  readonly results: ReadonlyMap<string, object>;
  /** Number of tasks that were run, now and to their end. */
  readonly ran: number;
  /** Number of needed tasks that were finished before, what these were made of included. */
  readonly kept: number;
  readonly failures: readonly TaskFailure[];
  /** Tasks that were not started, as one they depend on failed. */
  readonly blocked: readonly Task[];
}

/**
 * Runs the tasks whose results are needed and not in a folder yet, and what these build on. After an
 * interruption the same call goes on with what is missing.
 *
 * @param tasks - each after the tasks it depends on
 * @param needed - keys of the tasks whose results are asked for
 * @throws InputError if another process uses the folder
 * @throws DOMException named AbortError if `signal` is aborted; what was done is kept
 */
export async function runMissing(
  tasks: readonly Task[],
  needed: Iterable<string>,
  { folder, ...options }: RunMissingOptions,
): Promise<RunMissingResult> {
  const store = await openTaskStore(folder);
  try {
    const { results, finished, missing } = await findMissing(tasks, needed, store);
    const outcome = await runTasks(missing, { ...options, store });
    return {
      results: new Map([...results, ...outcome.results]),
      ran: outcome.results.size,
      kept: finished,
      failures: outcome.failures,
      blocked: outcome.blocked,
    };
  } finally {
    await store.close();
  }
}
