import { findMissing } from "./find-missing.ts";
import { type RunTasksOptions, runTasks, type TaskFailure } from "./run-tasks.ts";
import type { Task } from "./task.ts";
import { openTaskStore } from "./task-store.ts";

/** Folder of the results, and settings with which missing tasks are run. */
export interface RunMissingOptions extends Omit<RunTasksOptions, "store"> {
  /**
   * Folder for results and files of tasks; a missing folder is made. Existing results in it are used and not
   * computed again.
   */
  readonly folder: string;
}

/** Outcome of a run of tasks of which some may have been finished before. */
export interface RunMissingResult {
  /** Results, by key, of all finished tasks that are needed or were run. */
  readonly results: ReadonlyMap<string, object>;
  /** Number of tasks that this run has finished. */
  readonly ran: number;
  /** Number of needed tasks that were finished before, including the tasks on which they depend. */
  readonly kept: number;
  /** Tasks that failed in this run, each with its error; empty if all went well. */
  readonly failures: readonly TaskFailure[];
  /** Tasks that were not started, as a dependency failed. */
  readonly blocked: readonly Task[];
}

/**
 * Runs the tasks whose results are needed and not yet in a folder, and the tasks on which these depend. After
 * an interruption the same call continues with the missing tasks.
 *
 * @param tasks - each after the tasks it depends on
 * @param needed - keys of the tasks whose results are requested
 * @throws InputError if another process uses the folder
 * @throws DOMException named AbortError if `signal` is aborted; finished results are kept
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
