import { resolveOptions } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { chooseTrainOptions, TRAIN_DEFAULTS } from "@isthmus/training";
import type { TrainingChoice, TrainingParams } from "../networks/training-shape.ts";

/** Settings of a training in an entry, without the network, its examples and its snapshots. */
type TrainingSettings = TrainingChoice & { readonly seed: number; readonly epochs: number };

/** Lists every option of a training that decides its bytes, defaults included. */
export function trainOptionsOf(settings: TrainingSettings, graph: Graph, data: DataSet): TrainingParams {
  const {
    threads: _threads,
    saveEvery: _saveEvery,
    resume: _resume,
    freeze: _freeze,
    ...defaults
  } = TRAIN_DEFAULTS;
  const chosen = chooseTrainOptions({ graph, data }, settings);
  return resolveOptions("train", { seed: 0, ...defaults, ...chosen }, { ...settings, ...chosen });
}
