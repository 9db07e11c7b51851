import type { StudyPlan } from "../plan/plan-study.ts";
import type { Task } from "../plan/task.ts";
import type { TaskStore } from "./task-store.ts";

/** What of a plan is there, and what is to be run. */
export interface MissingTasks {
  /** Results of finished tasks that tables are made of or that missing ones build on, by key. */
  readonly results: ReadonlyMap<string, object>;
  /** Tasks to run, those they depend on first. */
  readonly missing: readonly Task[];
}

/** Tells which tasks of a plan must be run: those that tables are made of, and what these need; finished ones need nothing. */
export async function listMissing(plan: StudyPlan, store: Pick<TaskStore, "read">): Promise<MissingTasks> {
  const results = new Map<string, object>();
  const wanted = new Set(Object.values(plan.measurements).flatMap((each) => each.map(({ task }) => task)));
  const missing: Task[] = [];
  // Tasks come after those they depend on, so that from the end each is known to be wanted before it is looked at.
  for (const task of [...plan.tasks].reverse()) {
    if (!wanted.has(task.key)) continue;
    const result = await store.read(task.key);
    if (result === undefined) {
      missing.unshift(task);
      for (const key of dependenciesOf(task)) wanted.add(key);
    } else {
      results.set(task.key, result);
    }
  }
  return { results, missing };
}

/** Keys of the tasks whose files a task reads. */
export function dependenciesOf({ inputs }: Task): readonly string[] {
  return Object.values(inputs).flatMap((files) =>
    files.flatMap((file) => ("task" in file ? [file.task] : [])),
  );
}
