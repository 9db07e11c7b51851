import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, saveCheckpoint, saveFile } from "@isthmus/core";
import { repeats, schemaOf, takesParams } from "@isthmus/forms";
import { encodeGraph } from "@isthmus/graph";
import { type AugmentOptions, train } from "@isthmus/training";
import { AUGMENT } from "@isthmus/training/forms";
import { parseNetwork } from "@isthmus/zoo";
import { z } from "zod";
import { TRAINING_FIELDS, type TrainingOptions } from "../schema/shared-fields.ts";
import type { StudyTaskKind, TaskData, TaskNetwork } from "./task-kind.ts";
import { TASK_DATA, TASK_NETWORK } from "./task-schema.ts";

/** What is trained, and how. */
export interface TrainNetworkParams {
  readonly network: TaskNetwork;
  readonly data: TaskData;
  /** Numbers of epochs after which weights are kept; 0 for the random weights before. */
  readonly snapshots: readonly number[];
  readonly options: TrainingOptions & { readonly augment?: AugmentOptions };
}

/** File of the architecture. */
export const GRAPH_FILE = "graph.onnx";

/** File of the weights after some epochs. */
export const weightsFile = (epochs: number): string => `weights-${epochs}.safetensors`;

const PARAMS = schemaOf<TrainNetworkParams>()(
  z.strictObject({
    network: TASK_NETWORK,
    data: TASK_DATA,
    snapshots: z.array(repeats(0)).min(1),
    options: z.strictObject({ ...TRAINING_FIELDS, augment: AUGMENT.optional() }),
  }),
);

/** Trains a network; goes on from the state that an interrupted run left. */
export const trainNetwork: StudyTaskKind<TrainNetworkParams> = {
  name: "train",
  version: 1,
  ...takesParams("train", PARAMS),
  async run(
    { engine, openData, folder, signal, onProgress },
    { network: { net }, data: { name }, snapshots, options },
  ) {
    const data = await openData(name);
    const network = parseNetwork(net, data);
    const { graph } = network;
    await saveFile(join(folder, GRAPH_FILE), encodeGraph(graph));
    const statePath = join(folder, "state.safetensors");
    const initial = network.initialize(options.seed);
    const keep = async (epochs: number, weights: Checkpoint): Promise<void> => {
      if (!snapshots.includes(epochs)) return;
      await saveCheckpoint(weights, join(folder, weightsFile(epochs)), { overwrite: true });
    };
    await keep(0, initial);
    const { result } = await train({ graph, engine }, initial, data, {
      ...options,
      statePath,
      resume: true,
      signal,
      onProgress: ({ step, steps }) => onProgress(step / steps),
      onEpoch: keep,
    });
    await rm(statePath, { force: true });
    const { seed, steps, batch, epochs } = result;
    return { kind: "train", net, seed, steps, batch, epochs };
  },
};
