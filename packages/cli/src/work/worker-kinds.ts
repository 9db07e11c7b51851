import { SIMULATION_TASKS } from "@isthmus/federated";
import { loadStudyTasks } from "@isthmus/study";
import { createTaskKinds, type TaskKind, type TaskKinds } from "@isthmus/tasks";
import { mapPairsTask } from "../map/map-pairs-task.ts";
import { mergePiecesTask } from "../merge/merge-pieces-task.ts";
import { searchCandidateTask } from "../search/search-candidate-task.ts";
import type { WorkerPorts } from "./worker-ports.ts";

/**
 * Loads the registry of all kinds of tasks that a worker runs: of studies, simulations, merges, maps and
 * searches.
 */
export async function loadWorkerTasks(): Promise<TaskKinds<WorkerPorts>> {
  return createTaskKinds<WorkerPorts>([
    ...(await loadStudyTasks()).values(),
    ...SIMULATION_TASKS.values(),
    mergePiecesTask as TaskKind<object, WorkerPorts>,
    mapPairsTask as TaskKind<object, WorkerPorts>,
    searchCandidateTask as TaskKind<object, WorkerPorts>,
  ]);
}
