import { type Checkpoint, type FieldsOf, InputError, listField, saveFile } from "@isthmus/core";
import { repeats } from "@isthmus/forms";
import { encodeGraph } from "@isthmus/graph";
import { join } from "@isthmus/platform";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import * as z from "zod";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { trainOptionsOf } from "../plan/train-options.ts";
import type { TaskData, TaskNetwork } from "../tasks/task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "../tasks/task-schema.ts";
import { withMade } from "./derive-network.ts";
import type { GroupMaker } from "./group-maker.ts";
import { makingTask } from "./making-task.ts";
import {
  RUN_SHAPE,
  TRAINING_PARAMS,
  TRAINING_SHAPE,
  type TrainingChoice,
  type TrainingParams,
} from "./training-shape.ts";

/** Choice of the moments at which weights of a training are saved. */
interface SnapshotChoice {
  /**
   * Numbers of epochs, ascending, after which the weights are saved, 0 for the start; each gives a network of
   * its own.
   * @defaultValue the last only
   */
  readonly snapshots?: readonly number[];
}

/** A network to train; options that are missing have the defaults of `train`. */
export interface TrainedNetwork extends SnapshotChoice, TrainingChoice {
  /** Short string of the zoo, such as `mlp:512x3`. */
  readonly net: string;
  /** Name of the examples to train on, such as `mnist:train`. */
  readonly data: string;
  /** Seed of weights, order of examples, augmentation and dropout. */
  readonly seed: number;
  /** Times each example is seen. */
  readonly epochs: number;
}

/** Largest number of epochs of a training: more would run for years. */
const MOST_EPOCHS = 100_000;

const FIELDS: FieldsOf<SnapshotChoice> = {
  snapshots: listField<number>(
    { type: "whole", least: 0, most: MOST_EPOCHS },
    {
      least: 0,
      help: "epochs after which weights are saved, ascending, 0 for the start (default: the last)",
    },
  ),
};

/** Parameters of a task that trains a network. */
interface TrainParams {
  readonly network: TaskNetwork;
  readonly data: TaskData;
  /** Numbers of epochs after which weights are kept; 0 for the random weights before. */
  readonly snapshots: readonly number[];
  readonly options: TrainingParams;
}

/** File of the architecture. */
export const GRAPH_FILE = "graph.onnx";

/** Returns the file of the weights after some epochs, or rounds. */
export const weightsFile = (number: number): string => `weights-${number}.safetensors`;

const TASK = makingTask<TrainParams>({
  name: "train",
  version: 1,
  params: z.strictObject({
    network: TASK_NETWORK,
    data: TASK_DATA,
    snapshots: z.array(repeats(0)).min(1),
    options: TRAINING_PARAMS,
  }),
  async make({ engine, openData, folder, save, resuming }, params) {
    const { network: described, snapshots, options } = params;
    const data = await openData(params.data.name);
    const network = parseNetwork(described.net, data);
    const { graph } = network;
    await saveFile(join(folder, GRAPH_FILE), encodeGraph(graph));
    const keep = async (done: number, weights: Checkpoint): Promise<void> => {
      if (snapshots.includes(done)) await save(weightsFile(done), weights);
    };
    const initial = network.initialize(options.seed);
    await keep(0, initial);
    const training = { ...options, ...resuming, onEpoch: keep };
    const { result } = await train({ graph, engine }, initial, data, training);
    const { seed, steps, batch, epochs } = result;
    return { net: described.net, seed, steps, batch, epochs };
  },
});

/** Maker of networks of the zoo, which it trains. */
export const TRAIN: GroupMaker<"none", TrainedNetwork, SnapshotChoice> = {
  key: "net",
  from: "none",
  options: FIELDS,
  beside: { ...RUN_SHAPE, ...TRAINING_SHAPE, data: NAMED_DATA },
  task: TASK,
  made: ({ snapshots }) => (Array.isArray(snapshots) ? ["epochs", snapshots.map(Number)] : undefined),
  async plan({ group, entry, variables, planner }) {
    const { net, data: name, snapshots: _, ...settings } = entry;
    const snapshots = snapshotsOf(group, entry);
    const { network, data, params } = await planner.build(net, name, entry.seed);
    const label = `${network.spec} seed ${entry.seed}`;
    const { key } = planner.add(TASK, {
      params: {
        ...params,
        snapshots,
        options: trainOptionsOf(settings, network.graph, data),
      },
      inputs: {},
      label: `train ${label}`,
    });
    const rewinds = new Map(snapshots.map((epochs) => [epochs, { task: key, file: weightsFile(epochs) }]));
    return snapshots.map((epochs) => ({
      rewinds,
      variables: withMade({ group, variables }, "epochs", epochs),
      label: snapshots.length === 1 ? label : `${label} epoch ${epochs}`,
      architecture: network.graph,
      trainedOn: name,
      graph: { task: key, file: GRAPH_FILE },
      weights: { task: key, file: weightsFile(epochs) },
    }));
  },
};

function snapshotsOf(group: string, { epochs, snapshots = [epochs] }: TrainedNetwork): readonly number[] {
  let last = -1;
  const ascending = snapshots.every((snapshot) => {
    const before = last;
    last = snapshot;
    return snapshot > before;
  });
  if (ascending && snapshots.length > 0 && last <= epochs) return snapshots;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as its snapshots must be numbers of epochs from 0 to ${epochs}, ascending: they are [${snapshots.join(", ")}]`,
    { input: group },
  );
}
