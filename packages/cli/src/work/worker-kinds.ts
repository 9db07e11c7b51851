import { SIMULATION_TASKS } from "@isthmus/federated";
import { STUDY_TASKS } from "@isthmus/study";
import { createTaskKinds, type TaskKind, type TaskKinds } from "@isthmus/tasks";
import { mapPairsTask } from "../map/map-pairs-task.ts";
import { mergePiecesTask } from "../merge/merge-pieces-task.ts";
import { searchCandidateTask } from "../search/search-candidate-task.ts";
import type { WorkerPorts } from "./worker-ports.ts";

/**
 * The registry of all kinds of tasks that a worker runs: of studies, simulations, merges, maps and searches.
 */
export const WORKER_TASKS: TaskKinds<WorkerPorts> = createTaskKinds<WorkerPorts>([
  ...STUDY_TASKS.values(),
  ...SIMULATION_TASKS.values(),
  mergePiecesTask as TaskKind<object, WorkerPorts>,
  mapPairsTask as TaskKind<object, WorkerPorts>,
  searchCandidateTask as TaskKind<object, WorkerPorts>,
]);
