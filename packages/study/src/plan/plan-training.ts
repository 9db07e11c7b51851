import { InputError, resolveOptions } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { chooseTrainOptions, TRAIN_DEFAULTS } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import type { TrainedNetwork, Variables } from "../description/study-description.ts";
import type { Unfolded } from "../description/unfold.ts";
import { GRAPH_FILE, type TrainNetworkParams, trainNetwork, weightsFile } from "../tasks/train-network.ts";
import { describeNetwork } from "./describe-network.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";

/**
 * Plans the training of a network, which gives one planned network for every snapshot.
 * @throws InputError if it cannot be built for its data, or the snapshots are not among its epochs
 */
export async function planTraining(
  group: string,
  { variables, entry }: Unfolded<TrainedNetwork>,
  planner: Planner,
): Promise<readonly PlannedNetwork[]> {
  const { net, data: name } = entry;
  const snapshots = snapshotsOf(group, entry);
  const { data, description } = await planner.open(name);
  const network = parseNetwork(net, data);
  const params: TrainNetworkParams = {
    network: await describeNetwork(network, entry.seed),
    data: description,
    snapshots,
    options: optionsOf(entry, network.graph, data),
  };
  const label = `${network.spec} seed ${entry.seed}`;
  const { key } = planner.add(trainNetwork, { params, inputs: {}, label: `train ${label}` });
  return snapshots.map((epochs) => ({
    variables: withEpochs(group, variables, epochs),
    label: snapshots.length === 1 ? label : `${label} epoch ${epochs}`,
    architecture: network.graph,
    graph: { task: key, file: GRAPH_FILE },
    weights: { task: key, file: weightsFile(epochs) },
  }));
}

/** Adds the variable `epochs`, which the group may have itself if its value is the same. */
function withEpochs(group: string, variables: Variables, epochs: number): Variables {
  const value = variables["epochs"] ?? epochs;
  if (value === epochs) return { ...variables, epochs };
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as its variable "epochs" must be the epochs that are trained: it is ${value}, and they are ${epochs}; give it another name`,
    { input: group },
  );
}

function snapshotsOf(group: string, { epochs, snapshots = [epochs] }: TrainedNetwork): readonly number[] {
  let last = 0;
  const ascending = snapshots.every((snapshot) => {
    const before = last;
    last = snapshot;
    return snapshot > before;
  });
  if (ascending && snapshots.length > 0 && last <= epochs) return snapshots;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as its snapshots must be numbers of epochs from 1 to ${epochs}, ascending: they are [${snapshots.join(", ")}]`,
    { input: group },
  );
}

/** Lists every option that decides the bytes, defaults included. */
function optionsOf(
  { net: _, data: __, snapshots: ___, ...settings }: TrainedNetwork,
  graph: Graph,
  data: DataSet,
): TrainNetworkParams["options"] {
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
