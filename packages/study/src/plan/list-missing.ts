import { findMissing, type MissingTasks, type TaskStore } from "@isthmus/tasks";
import type { StudyPlan } from "./plan-study.ts";

/** Lists which tasks of a plan must be run: unfinished ones that tables are made of, and what these need. */
export function listMissing(plan: StudyPlan, store: Pick<TaskStore, "read">): Promise<MissingTasks> {
  const measured = Object.values(plan.measurements).flat();
  return findMissing(
    plan.tasks,
    measured.map(({ task }) => task),
    store,
  );
}
