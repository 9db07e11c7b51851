import { at, InputError } from "@isthmus/core";
import { repeats, seed } from "@isthmus/forms";
import { applyMasks, PRUNING_FIELDS, type PruningChoice, pruneNetwork, trainMasked } from "@isthmus/sparsity";
import { discoverSymmetries } from "@isthmus/symmetry";
import { pathOf, type TaskFile } from "@isthmus/tasks";
import * as z from "zod";
import type { WantedValues } from "../description/wanted-values.ts";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { filesOf, type PlannedNetwork } from "../plan/planned-network.ts";
import { trainOptionsOf } from "../plan/train-options.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";
import { deriveNetwork, keyedOf } from "./derive-network.ts";
import type { GroupMaker, Making } from "./group-maker.ts";
import { makingTask, WEIGHTS_FILE } from "./making-task.ts";
import {
  LOSS_STEPS_SHAPE,
  type LossStepsChoice,
  TRAINING_PARAMS,
  type TrainingParams,
} from "./training-shape.ts";

/**
 * Networks of another group of which some weights are pruned, and trained further with these at zero if
 * `data` is named; options that are missing have the defaults of `pruneNetwork` and `train`.
 */
export interface PrunedStudyNetwork extends PruningChoice, LossStepsChoice {
  /** Name of the group of networks to prune, which must come before; each that agrees is pruned. */
  readonly prune: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /**
   * Epochs of the first training to whose weights the remaining weights are reset before they are trained
   * again. They must be one of the snapshots of that training; 0 is the start. @defaultValue the weights are
   * not reset
   */
  readonly rewind?: number;
  /** Name of the examples to train on with pruned weights at zero. @defaultValue no training */
  readonly data?: string;
  /** Seed of the order of examples. @defaultValue 0 */
  readonly seed?: number;
  /** Times each example is seen in the training; only allowed with `data`. @defaultValue 1 */
  readonly epochs?: number;
}

/** Parameters of a task that prunes a network, and trains it further. */
interface PruneParams {
  readonly pruning: PruningChoice;
  /** Training with the pruned weights at zero; missing if there is none. */
  readonly training?: { readonly data: TaskData; readonly options: TrainingParams };
}

const TASK = makingTask<PruneParams>({
  name: "prune",
  version: 1,
  params: z.strictObject({
    pruning: z.strictObject(shapeOfFields(PRUNING_FIELDS, ["sparsity", "by"])),
    training: z.strictObject({ data: TASK_DATA, options: TRAINING_PARAMS }).optional(),
  }),
  async make({ inputs, open, openData, save, signal, resuming }, { pruning, training }) {
    const { rewound: early = [] } = inputs;
    const { architecture, inputNames, networks } = await open([pathOf(inputs, "network"), ...early]);
    const { network, restore } = at(networks, 0, "network");
    const { graph } = architecture;
    const isByUnits = pruning.by === "units";
    const symmetries = isByUnits ? await discoverSymmetries(architecture, { signal }) : undefined;
    const pruned = await pruneNetwork({ graph, ...(symmetries && { symmetries }) }, network, pruning);
    const { masks } = pruned;
    const rewound = networks[1]?.network;
    let weights = rewound === undefined ? pruned.weights : await applyMasks(rewound, masks);
    if (training !== undefined) {
      const data = await openData(training.data.name, inputNames);
      const options = { ...training.options, ...resuming };
      weights = (await trainMasked(architecture, { weights, masks }, data, options)).weights;
    }
    await save(WEIGHTS_FILE, restore(weights));
    return { ...pruned.result, network: "network" };
  },
});

/** Maker of networks that are pruned, and trained further. */
export const PRUNE: GroupMaker<"each", PrunedStudyNetwork, PruningChoice> = {
  key: "prune",
  from: "each",
  options: PRUNING_FIELDS,
  required: ["sparsity"],
  beside: {
    ...LOSS_STEPS_SHAPE,
    rewind: repeats(0).optional(),
    data: NAMED_DATA.optional(),
    seed: seed.optional(),
    epochs: repeats(1).optional(),
  },
  task: TASK,
  async plan(making) {
    const { group, entry, start, variables, planner } = making;
    const { sparsity, rewind, data: name } = entry;
    const training = await trainingOf(making);
    const label = `${start.label}, pruned to ${sparsity}`;
    const { key } = planner.add(TASK, {
      params: {
        pruning: { ...keyedOf(PRUNING_FIELDS, entry), sparsity },
        ...(training && { training }),
      },
      inputs: {
        ...filesOf(start),
        ...(rewind !== undefined && { rewound: [rewoundOf(group, start, rewind)] }),
      },
      label: `prune ${label}`,
    });
    const trainedOn = name === undefined ? {} : { trainedOn: name };
    return [deriveNetwork({ start, variables }, { label, task: key, ...trainedOn })];
  },
};

/** Finds the snapshot to whose weights the remaining weights are reset. */
function rewoundOf(group: string, { label, rewinds = new Map() }: PlannedNetwork, epoch: number): TaskFile {
  const file = rewinds.get(epoch);
  if (file !== undefined) return file;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as "rewind" must be one of the snapshots of ${label}, ${[...rewinds.keys()].join(", ") || "which has none as it was not trained here"}: it is ${epoch}; add it to "snapshots"`,
    { input: group },
  );
}

/** Returns the training of a pruned network; undefined if there is none. */
async function trainingOf({
  group,
  entry,
  start: { architecture },
  planner,
}: Making<"each", PrunedStudyNetwork>): Promise<PruneParams["training"]> {
  const { prune: _, where: __, sparsity: ___, by: ____, layers: _____, rewind: ______, ...others } = entry;
  const { data: name, ...settings } = others;
  if (name !== undefined) {
    const inputNames = architecture.inputs.map((input) => input.name);
    const { data, description } = await planner.open(name, inputNames);
    return {
      data: description,
      options: trainOptionsOf({ seed: 0, epochs: 1, ...settings }, architecture, data),
    };
  }
  const named = Object.keys(settings);
  if (named.length === 0) return undefined;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as pruned networks are trained on with "data" alone: it has ${named.join(", ")} and no data`,
    { input: group },
  );
}
