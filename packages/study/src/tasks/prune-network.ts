import { rm } from "node:fs/promises";
import { join } from "node:path";
import { at, saveCheckpoint } from "@isthmus/core";
import { schemaOf, takesParams, text } from "@isthmus/forms";
import { applyMasks, PRUNE_CHOICES, type PruneChoice, pruneNetwork, trainMasked } from "@isthmus/sparsity";
import { discoverSymmetries } from "@isthmus/symmetry";
import { pathOf } from "@isthmus/tasks";
import type { AugmentOptions } from "@isthmus/training";
import { AUGMENT } from "@isthmus/training/forms";
import { z } from "zod";
import { TRAINING_FIELDS, type TrainingOptions } from "../schema/shared-fields.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How a network is pruned, and trained on. */
export interface PruneNetworkParams {
  readonly pruning: {
    readonly sparsity: number;
    readonly by: PruneChoice;
    readonly layers?: readonly string[];
  };
  /** Missing if nothing is trained. */
  readonly training?: {
    readonly data: TaskData;
    readonly options: TrainingOptions & { readonly augment?: AugmentOptions };
  };
}

/** File of the pruned weights. */
export const PRUNED_FILE = "weights.safetensors";

const PARAMS = schemaOf<PruneNetworkParams>()(
  z.strictObject({
    pruning: z.strictObject({
      sparsity: z.number().min(0).lt(1),
      by: z.enum(PRUNE_CHOICES),
      layers: z.array(text).optional(),
    }),
    training: z
      .strictObject({
        data: TASK_DATA,
        options: z.strictObject({ ...TRAINING_FIELDS, augment: AUGMENT.optional() }),
      })
      .optional(),
  }),
);

/** Prunes a network and trains it on with masks; goes on from the state that an interrupted run left. */
export const pruneStudyNetwork: StudyTaskKind<PruneNetworkParams> = {
  name: "prune",
  version: 1,
  ...takesParams("prune", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, { pruning, training }, inputs) {
    const statePath = join(folder, "state.safetensors");
    const { rewound: early = [] } = inputs;
    const paths = [pathOf(inputs, "network"), ...early];
    const { graph, networks, close } = await openNetworks(inputs, paths, engine);
    try {
      const { network, restore } = at(networks, 0, "network");
      const isByUnits = pruning.by === "units";
      const symmetries = isByUnits ? await discoverSymmetries({ graph, engine }, { signal }) : undefined;
      const pruned = await pruneNetwork({ graph, ...(symmetries && { symmetries }) }, network, pruning);
      const { masks } = pruned;
      const rewound = networks[1]?.network;
      let weights = rewound === undefined ? pruned.weights : await applyMasks(rewound, masks);
      if (training !== undefined) {
        const names = graph.inputs.map(({ name }) => name);
        const data = await openData(training.data.name, names);
        const tuned = await trainMasked({ graph, engine }, { weights, masks }, data, {
          ...training.options,
          ...{ statePath, resume: true, signal },
          onProgress: ({ step, steps }) => onProgress(step / steps),
        });
        weights = tuned.weights;
      }
      await saveCheckpoint(restore(weights), join(folder, PRUNED_FILE), { overwrite: true });
      await rm(statePath, { force: true });
      return { ...pruned.result, network: "network" };
    } finally {
      await close();
    }
  },
};
