import { BARRIER } from "@isthmus/barrier";
import { loadMeasurements } from "@isthmus/measurements";
import { createTaskKinds, type TaskKinds } from "@isthmus/tasks";
import { measurementTask } from "../measurement/measurement-task.ts";
import { listMakingTasks } from "../networks/makers.ts";
import { alignNetworks } from "./align-networks.ts";
import { learnAlignment } from "./learn-alignment.ts";
import { matchNetworks } from "./match-networks.ts";
import { measureEnsemble } from "./measure-ensemble.ts";
import { mergeNetworks } from "./merge-networks.ts";
import type { StudyPorts, StudyTaskKind } from "./task-kind.ts";

/** Kinds of tasks that align and match networks, and ones whose measurements have no definition yet. */
const WRITTEN_OUT: readonly StudyTaskKind[] = [
  alignNetworks,
  learnAlignment,
  measurementTask(BARRIER),
  matchNetworks,
  mergeNetworks,
  measureEnsemble,
];

/** Lists the names of the tasks of Isthmus that are listed without loading anything. */
export function listTaskKinds(): readonly string[] {
  return [...listMakingTasks(), ...WRITTEN_OUT].map(({ name }) => name);
}

/** Loads the registry of all kinds of tasks that studies have. */
export async function loadStudyTasks(): Promise<TaskKinds<StudyPorts>> {
  const measuring = (await loadMeasurements()).map(measurementTask);
  return createTaskKinds<StudyPorts>([...listMakingTasks(), ...WRITTEN_OUT, ...measuring]);
}
