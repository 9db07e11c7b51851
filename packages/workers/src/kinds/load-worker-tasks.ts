import { loadMeasurements } from "@isthmus/measurements";
import { SIMULATION_TASKS } from "@isthmus/simulation";
import { loadStudyTasks } from "@isthmus/study";
import { createTaskKinds, type TaskKind, type TaskKinds } from "@isthmus/tasks";
import { mergePiecesTask } from "../merge/merge-pieces-task.ts";
import { pairsTask } from "../pairs/pairs-task.ts";
import { searchCandidateTask } from "../search/search-candidate-task.ts";
import type { WorkerPorts } from "./worker-ports.ts";

/**
 * Loads the registry of all kinds of tasks that a worker runs: of studies, simulations, merges, pairs of
 * networks and searches.
 */
export async function loadWorkerTasks(): Promise<TaskKinds<WorkerPorts>> {
  const ofPairs = (await loadMeasurements()).flatMap(({ pairs, ...measurement }) =>
    pairs === undefined ? [] : [pairsTask(measurement, pairs) as TaskKind<object, WorkerPorts>],
  );
  return createTaskKinds<WorkerPorts>([
    ...(await loadStudyTasks()).values(),
    ...SIMULATION_TASKS.values(),
    mergePiecesTask as TaskKind<object, WorkerPorts>,
    ...ofPairs,
    searchCandidateTask as TaskKind<object, WorkerPorts>,
  ]);
}
