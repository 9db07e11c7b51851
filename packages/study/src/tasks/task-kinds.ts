import { BARRIER } from "@isthmus/barrier";
import { loadMeasurements } from "@isthmus/measurements";
import { createTaskKinds, type TaskKinds } from "@isthmus/tasks";
import { isStudied } from "../measurement/entry.ts";
import { measurementTask } from "../measurement/measurement-task.ts";
import { alignNetworks } from "./align-networks.ts";
import { collectStudyNetworks } from "./collect-networks.ts";
import { findStarNetwork } from "./find-star-network.ts";
import { findStudyTickets } from "./find-tickets.ts";
import { learnAlignment } from "./learn-alignment.ts";
import { matchNetworks } from "./match-networks.ts";
import { measureDimension } from "./measure-dimension.ts";
import { measureEnsemble } from "./measure-ensemble.ts";
import { measurePareto } from "./measure-pareto.ts";
import { mergeNetworks } from "./merge-networks.ts";
import { pruneStudyNetwork } from "./prune-network.ts";
import { quantizeStudyNetwork } from "./quantize-network.ts";
import { scatterStudyNetwork } from "./scatter-network.ts";
import type { StudyPorts, StudyTaskKind } from "./task-kind.ts";
import { trainNetwork } from "./train-network.ts";
import { trainPairCurve } from "./train-pair-curve.ts";
import { tuneNetworkByConnectivity } from "./tune-by-connectivity.ts";
import { tuneNetwork } from "./tune-network.ts";

/** Kinds of tasks that make networks, and ones whose measurements have no definition yet. */
const WRITTEN_OUT: readonly StudyTaskKind[] = [
  trainNetwork,
  findStarNetwork,
  alignNetworks,
  learnAlignment,
  measurementTask(BARRIER),
  matchNetworks,
  mergeNetworks,
  measureEnsemble,
  tuneNetwork,
  tuneNetworkByConnectivity,
  trainPairCurve,
  measureDimension,
  pruneStudyNetwork,
  quantizeStudyNetwork,
  collectStudyNetworks,
  scatterStudyNetwork,
  measurePareto,
  findStudyTickets,
];

/** Loads the registry of all kinds of tasks that studies have. */
export async function loadStudyTasks(): Promise<TaskKinds<StudyPorts>> {
  const measuring = (await loadMeasurements()).filter(isStudied).map(measurementTask);
  return createTaskKinds<StudyPorts>([...WRITTEN_OUT, ...measuring]);
}
