import { rm } from "node:fs/promises";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { schemaOf, takesParams } from "@isthmus/forms";
import { type ConnectivityRules, tuneByConnectivity } from "@isthmus/mechanisms";
import { z } from "zod";
import { CONNECTIVITY_FIELDS } from "../schema/tuning-fields.ts";
import { withNetwork } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";
import { TUNED_FILE } from "./tune-network.ts";

/** How a network is trained on so that it uses a cue no longer. */
export interface TuneByConnectivityParams {
  /** Examples without the cue. */
  readonly data: TaskData;
  readonly cue: TaskData;
  readonly options: ConnectivityRules;
}

const PARAMS = schemaOf<TuneByConnectivityParams>()(
  z.strictObject({ data: TASK_DATA, cue: TASK_DATA, options: z.strictObject(CONNECTIVITY_FIELDS) }),
);

/** Trains a network on by connectivity; goes on from the state that an interrupted run left. */
export const tuneNetworkByConnectivity: StudyTaskKind<TuneByConnectivityParams> = {
  name: "tune-by-connectivity",
  version: 1,
  ...takesParams("tune-by-connectivity", PARAMS),
  run: ({ engine, openData, folder, signal, onProgress }, { data, cue, options }, inputs) =>
    withNetwork(inputs, engine, async ({ architecture, network, inputNames, restore }) => {
      const statePath = join(folder, "state.safetensors");
      const examples = {
        clean: await openData(data.name, inputNames),
        cue: await openData(cue.name, inputNames),
      };
      const { weights, ...result } = await tuneByConnectivity(architecture, network, examples, {
        ...options,
        ...{ statePath, resume: true, signal },
        onProgress: ({ done }) => onProgress(done),
      });
      await saveCheckpoint(restore(weights), join(folder, TUNED_FILE), { overwrite: true });
      await rm(statePath, { force: true });
      const { steps, gradients, epochs } = result;
      return { kind: "tune-by-connectivity", data: data.name, seed: options.seed, steps, gradients, epochs };
    }),
};
