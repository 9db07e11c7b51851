import {
  findMissing,
  type MissingTasks,
  type RunMissingOptions,
  type RunMissingResult,
  runMissing,
  type TaskStore,
} from "@isthmus/tasks";
import { collectStudy } from "./collect/collect-study.ts";
import type { StudyDescription } from "./description/study-description.ts";
import { planStudy, type StudyPlan } from "./plan/plan-study.ts";
import type { PlanPorts } from "./plan/planner.ts";
import type { StudyResult } from "./study-result.ts";

/** Options of {@link runStudy}. */
export interface RunStudyOptions extends PlanPorts, RunMissingOptions {}

/** What became of a study. */
export interface RunStudyResult extends Omit<RunMissingResult, "results"> {
  /** Missing if a task failed. */
  readonly study?: StudyResult;
}

/**
 * Runs what is missing of a study, and gathers its tables. After an interruption it goes on where it was; the
 * result is the same, byte for byte, and does not depend on the number of tasks at once.
 *
 * @throws InputError if the description contradicts itself, data do not fit, or another process uses the
 *   folder
 * @throws DOMException named AbortError if `signal` is aborted; what was done is kept
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { openDataSet } from "@isthmus/data";
 * import { loadStudyTasks, runStudy, type StudyDescription } from "@isthmus/study";
 * import { runTask, type TaskExecutor } from "@isthmus/tasks";
 *
 * const study: StudyDescription = {
 *   title: "One barrier",
 *   description: "The barrier between two small networks.",
 *   networks: {
 *     mlps: { for: { seed: "0..1" }, net: "mlp:8", data: "mnist:test@200", seed: "${seed}", epochs: 1 },
 *   },
 *   measurements: { barrier: { kind: "barrier", between: "mlps", data: "mnist:test@200", points: 3 } },
 *   tables: {},
 * };
 * const engine = createOnnxRuntimeEngine();
 * const ports = { engine, openData: (name: string) => openDataSet(name) };
 * const kinds = await loadStudyTasks();
 * const executor = {
 *   capacity: 1,
 *   run: (...[task, control]: Parameters<TaskExecutor["run"]>) => runTask(kinds, task, ports, control),
 * };
 * const options = { engine: engine.name, openData: ports.openData, folder: "one-barrier", executor };
 * const { ran } = await runStudy(study, options);
 * assert.equal(ran, 3); // two networks and their barrier
 * ```
 */
export async function runStudy(
  description: StudyDescription,
  { folder, executor, signal, onProgress, ...ports }: RunStudyOptions,
): Promise<RunStudyResult> {
  const plan = await planStudy(description, ports);
  const options = { folder, executor, signal, onProgress };
  const { results, ...counts } = await runMissing(plan.tasks, neededKeys(plan), options);
  if (counts.failures.length > 0) return counts;
  return { study: collectStudy(description, plan, results), ...counts };
}

/** Lists which tasks of a plan must be run: unfinished ones that tables are made of, and what these need. */
export function listMissing(plan: StudyPlan, store: Pick<TaskStore, "read">): Promise<MissingTasks> {
  return findMissing(plan.tasks, neededKeys(plan), store);
}

/** Lists the keys of the tasks that tables are made of. */
function neededKeys({ measurements }: StudyPlan): readonly string[] {
  return Object.values(measurements)
    .flat()
    .map(({ task }) => task);
}
