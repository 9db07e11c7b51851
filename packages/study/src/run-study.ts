import { listValues, type Repeated } from "@isthmus/forms";
import {
  findMissing,
  type MissingTasks,
  type RunMissingOptions,
  type RunMissingResult,
  runMissing,
  type TaskStore,
} from "@isthmus/tasks";
import { collectTable } from "./collect/collect-table.ts";
import type {
  MeasurementDescription,
  RepeatedNetwork,
  StudyDescription,
} from "./description/study-description.ts";
import { measuredFor, planStudy, type StudyPlan } from "./plan/plan-study.ts";
import type { PlanPorts } from "./plan/planner.ts";
import type { StudyGroup, StudyResult } from "./study-result.ts";

/** Options of {@link runStudy}. */
export interface RunStudyOptions extends PlanPorts, RunMissingOptions {}

/** Outcome of the run of a study. */
export interface RunStudyResult extends Omit<RunMissingResult, "results"> {
  /** Result of the study; missing if a task failed. */
  readonly study?: StudyResult;
}

/**
 * Runs the missing tasks of a study, and gathers its tables. A study that was interrupted goes on where it
 * stopped; the result is the same, byte for byte, and does not depend on the number of tasks at once.
 *
 * @throws InputError if the description contradicts itself, data do not fit, or another process uses the
 *   folder
 * @throws DOMException named AbortError if `signal` is aborted; finished work is kept
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

/**
 * Lists the tasks of a plan that must be run: unfinished tasks of measurements, and the tasks that these
 * depend on.
 */
export function listMissing(plan: StudyPlan, store: Pick<TaskStore, "read">): Promise<MissingTasks> {
  return findMissing(plan.tasks, neededKeys(plan), store);
}

/** Lists the keys of the tasks of all measurements. */
function neededKeys({ measurements }: StudyPlan): readonly string[] {
  return Object.values(measurements)
    .flat()
    .map(({ task }) => task);
}

/**
 * Gathers the results of a study into its tables and figures; the same results give the same bytes of JSON.
 * @param results - results of every measurement, by key of the task
 * @throws InputError if a table names a path or a variable that no result has
 */
export function collectStudy(
  description: StudyDescription,
  { measurements }: StudyPlan,
  results: ReadonlyMap<string, object>,
): StudyResult {
  const { title, description: text = "", only, seed = 0, tables, figures = [] } = description;
  return {
    kind: "study",
    title,
    description: text,
    ...(only !== undefined && { only }),
    networks: Object.entries(description.networks).map(([name, repeated]) => describeGroup(name, repeated)),
    measurements: Object.entries(description.measurements).map(([name, repeated]) =>
      describeGroup(name, repeated, measurements[name]?.length),
    ),
    tables: Object.entries(tables).map(([name, table]) =>
      collectTable(name, table, {
        measured: measuredFor(table, measurements),
        results,
        spread: figures.flatMap((figure) => (figure.table === name && figure.spread ? [figure.y] : [])),
      }),
    ),
    figures,
    seed,
  };
}

/** Describes a group by its settings in the description, and by the values of its variables. */
function describeGroup(
  name: string,
  { for: ranges = {}, ...settings }: RepeatedNetwork | Repeated<MeasurementDescription>,
  count?: number,
): StudyGroup {
  const lists = Object.entries(ranges).map(
    ([variable, range]) =>
      [variable, listValues({ name: `${name}.for.${variable}`, of: "study" }, range)] as const,
  );
  const combinations = lists.reduce((product, [, values]) => product * values.length, 1);
  return { name, count: count ?? combinations, variables: Object.fromEntries(lists), settings };
}
