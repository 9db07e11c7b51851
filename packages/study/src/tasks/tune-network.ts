import { rm } from "node:fs/promises";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { schemaOf, takesParams, text } from "@isthmus/forms";
import { type AugmentOptions, train } from "@isthmus/training";
import { AUGMENT } from "@isthmus/training/forms";
import { z } from "zod";
import { TRAINING_FIELDS, type TrainingOptions } from "../schema/shared-fields.ts";
import { withNetwork } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How a network is trained on. */
export interface TuneNetworkParams {
  readonly data: TaskData;
  readonly options: TrainingOptions & {
    readonly augment?: AugmentOptions;
    readonly freeze?: readonly string[];
  };
}

/** File of the weights after training. */
export const TUNED_FILE = "weights.safetensors";

const PARAMS = schemaOf<TuneNetworkParams>()(
  z.strictObject({
    data: TASK_DATA,
    options: z.strictObject({
      ...TRAINING_FIELDS,
      augment: AUGMENT.optional(),
      freeze: z.array(text).optional(),
    }),
  }),
);

/** Trains a network on; goes on from the state that an interrupted run left. */
export const tuneNetwork: StudyTaskKind<TuneNetworkParams> = {
  name: "tune",
  version: 1,
  ...takesParams("tune", PARAMS),
  run: ({ engine, openData, folder, signal, onProgress }, { data, options }, inputs) =>
    withNetwork(inputs, engine, async ({ architecture, network, inputNames, restore }) => {
      const statePath = join(folder, "state.safetensors");
      const tuned = await train(architecture, network, await openData(data.name, inputNames), {
        ...options,
        statePath,
        resume: true,
        signal,
        onProgress: ({ step, steps }) => onProgress(step / steps),
      });
      await saveCheckpoint(restore(tuned.weights), join(folder, TUNED_FILE), { overwrite: true });
      await rm(statePath, { force: true });
      const { seed, steps, batch, epochs } = tuned.result;
      return { kind: "tune", data: data.name, seed, steps, batch, epochs };
    }),
};
