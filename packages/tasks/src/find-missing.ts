import { dependenciesOf, type Task } from "./task.ts";
import type { TaskStore } from "./task-store.ts";

/** Results of finished tasks, and the tasks that must be run. */
export interface MissingTasks {
  /** Results, by key, of finished tasks that are needed, or on which a missing task depends. */
  readonly results: ReadonlyMap<string, object>;
  /**
   * Number of needed tasks that need not be run: tasks with a result, and the tasks on which these depend.
   */
  readonly finished: number;
  /** Tasks to run, each after the tasks it depends on. */
  readonly missing: readonly Task[];
}

/**
 * Finds which tasks must be run: needed ones without a result, and every unfinished task that these build on.
 * A finished task needs no other results, so that the results of its dependencies may be missing.
 *
 * @param tasks - each after the tasks it depends on
 * @param needed - keys of the tasks whose results are requested
 */
export async function findMissing(
  tasks: readonly Task[],
  needed: Iterable<string>,
  store: Pick<TaskStore, "read">,
): Promise<MissingTasks> {
  const results = new Map<string, object>();
  const neededKeys = new Set(needed);
  const missing: Task[] = [];
  const used = new Set(neededKeys);
  // In reverse order every task comes after all tasks that may need it.
  for (const task of [...tasks].reverse()) {
    if (used.has(task.key)) for (const key of dependenciesOf(task)) used.add(key);
    if (!neededKeys.has(task.key)) continue;
    const result = await store.read(task.key);
    if (result === undefined) {
      missing.unshift(task);
      for (const key of dependenciesOf(task)) neededKeys.add(key);
    } else {
      results.set(task.key, result);
    }
  }
  return { results, finished: used.size - missing.length, missing };
}
