import { join } from "node:path";
import { type Checkpoint, createFolder, saveCheckpoint } from "@isthmus/core";
import type { TrainOptions } from "@isthmus/training";
import { ENDING } from "./training-files.ts";

/**
 * Writes the network before training into a folder, `0.safetensors`, and returns a function that writes it
 * after every epoch, under the number of epochs: a trajectory for `isthmus landscape --snapshots`.
 * @param restore - gives weights the names and structure of the checkpoint they come from
 */
export async function saveSnapshots(
  folder: string,
  network: { readonly weights: Checkpoint; readonly restore: (weights: Checkpoint) => Checkpoint },
  signal: AbortSignal,
): Promise<NonNullable<TrainOptions["onEpoch"]>> {
  await createFolder(folder);
  const save = async (epochs: number, weights: Checkpoint): Promise<void> => {
    const options = { overwrite: true, signal };
    await saveCheckpoint(network.restore(weights), join(folder, `${epochs}${ENDING}`), options);
  };
  await save(0, network.weights);
  return save;
}
