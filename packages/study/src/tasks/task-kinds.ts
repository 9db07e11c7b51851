import { createTaskKinds, type TaskKinds } from "@isthmus/tasks";
import { alignNetworks } from "./align-networks.ts";
import { findStarNetwork } from "./find-star-network.ts";
import { findStudyTickets } from "./find-tickets.ts";
import { learnAlignment } from "./learn-alignment.ts";
import { matchNetworks } from "./match-networks.ts";
import { measureEnsemble } from "./measure-ensemble.ts";
import { measureNetworkCurvature } from "./measure-network-curvature.ts";
import { measureNetworkDropout } from "./measure-network-dropout.ts";
import { measurePair } from "./measure-pair.ts";
import { measurePairLayers } from "./measure-pair-layers.ts";
import { measurePairMechanisms } from "./measure-pair-mechanisms.ts";
import { measurePairPath } from "./measure-pair-path.ts";
import { measurePairSimilarity } from "./measure-pair-similarity.ts";
import { mergeNetworks } from "./merge-networks.ts";
import { pruneStudyNetwork } from "./prune-network.ts";
import { quantizeStudyNetwork } from "./quantize-network.ts";
import type { StudyPorts } from "./task-kind.ts";
import { trainNetwork } from "./train-network.ts";
import { trainPairCurve } from "./train-pair-curve.ts";
import { tuneNetwork } from "./tune-network.ts";

/** The registry of all kinds of tasks that studies have. */
export const STUDY_TASKS: TaskKinds<StudyPorts> = createTaskKinds<StudyPorts>([
  trainNetwork,
  findStarNetwork,
  alignNetworks,
  learnAlignment,
  measurePair,
  measurePairLayers,
  matchNetworks,
  mergeNetworks,
  measureEnsemble,
  measureNetworkCurvature,
  tuneNetwork,
  measureNetworkDropout,
  measurePairPath,
  measurePairMechanisms,
  measurePairSimilarity,
  trainPairCurve,
  pruneStudyNetwork,
  quantizeStudyNetwork,
  findStudyTickets,
]);
