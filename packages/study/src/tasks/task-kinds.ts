import { alignNetworks } from "./align-networks.ts";
import { findStarNetwork } from "./find-star-network.ts";
import { measurePair } from "./measure-pair.ts";
import { measurePairLayers } from "./measure-pair-layers.ts";
import type { TaskKind } from "./task-kind.ts";
import { trainNetwork } from "./train-network.ts";

/** Every kind of task, by name. */
export const TASK_KINDS: Readonly<Record<string, TaskKind>> = Object.fromEntries(
  [trainNetwork, findStarNetwork, alignNetworks, measurePair, measurePairLayers].map((kind: TaskKind) => [
    kind.name,
    kind,
  ]),
);
