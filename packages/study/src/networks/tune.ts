import { frozenBelowLastLayer } from "@isthmus/connectivity";
import { at, choiceField, type FieldsOf, listField } from "@isthmus/core";
import { text } from "@isthmus/forms";
import { pathOf } from "@isthmus/tasks";
import { train } from "@isthmus/training";
import * as z from "zod";
import type { WantedValues } from "../description/wanted-values.ts";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { filesOf } from "../plan/planned-network.ts";
import { trainOptionsOf } from "../plan/train-options.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";
import { deriveNetwork } from "./derive-network.ts";
import type { GroupMaker } from "./group-maker.ts";
import { makingTask, WEIGHTS_FILE } from "./making-task.ts";
import {
  RUN_SHAPE,
  TRAINING_PARAMS,
  TRAINING_SHAPE,
  type TrainingChoice,
  type TrainingParams,
} from "./training-shape.ts";

/** Choice of the parameters of a network that are trained further. */
interface TuneChoice {
  /** Whether all parameters are trained, or the ones of the last linear layer. @defaultValue "all" */
  readonly method?: "all" | "last-layer";
  /** Patterns of the names of parameters that are not trained. @defaultValue none */
  readonly freeze?: readonly string[];
}

/**
 * Networks of another group that are trained further; options that are missing have the defaults of `train`.
 */
export interface TunedNetwork extends TuneChoice, TrainingChoice {
  /**
   * Name of the group of networks to start from, which must come before it: each network of the group that
   * agrees with this entry in all variables that both have is trained further.
   */
  readonly tune: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of the order of examples, augmentation and dropout. */
  readonly seed: number;
  /** Times each example is seen. */
  readonly epochs: number;
}

const FIELDS: FieldsOf<TuneChoice> = {
  method: choiceField<"all" | "last-layer">(["all", "last-layer"], {
    default: "all",
    help: "whether all parameters are trained, or the ones of the last linear layer",
  }),
  freeze: listField<string>({ type: "text" }, { least: 0, help: "parameters that stay (default: none)" }),
};

/** Parameters of a task that trains a network further. */
interface TuneParams {
  readonly data: TaskData;
  readonly options: TrainingParams & { readonly freeze?: readonly string[] };
}

const TASK = makingTask<TuneParams>({
  name: "tune",
  version: 1,
  params: z.strictObject({
    data: TASK_DATA,
    options: TRAINING_PARAMS.extend({ freeze: z.array(text).optional() }),
  }),
  async make({ inputs, open, openData, save, resuming }, { data, options }) {
    const { architecture, inputNames, networks } = await open([pathOf(inputs, "network")]);
    const { network, restore } = at(networks, 0, "network");
    const examples = await openData(data.name, inputNames);
    const tuned = await train(architecture, network, examples, { ...options, ...resuming });
    await save(WEIGHTS_FILE, restore(tuned.weights));
    const { seed, steps, batch, epochs } = tuned.result;
    return { data: data.name, seed, steps, batch, epochs };
  },
});

/** Maker of networks that are trained further. */
export const TUNE: GroupMaker<"each", TunedNetwork, TuneChoice> = {
  key: "tune",
  from: "each",
  options: FIELDS,
  beside: {
    ...TRAINING_SHAPE,
    ...RUN_SHAPE,
    data: NAMED_DATA,
    method: z.enum(["all", "last-layer"], { error: "must be all, last-layer or cbft" }).optional(),
  },
  task: TASK,
  async plan({ entry, start, variables, planner }) {
    const { tune: _, where: __, data: name, method = "all", freeze = [], ...settings } = entry;
    const { architecture } = start;
    const inputNames = architecture.inputs.map((input) => input.name);
    const { data, description } = await planner.open(name, inputNames);
    const stays = method === "all" ? freeze : [...freeze, ...frozenBelowLastLayer(architecture)];
    const label = `${start.label}, then ${name}`;
    const { key } = planner.add(TASK, {
      params: {
        data: description,
        options: { ...trainOptionsOf(settings, architecture, data), freeze: stays },
      },
      inputs: filesOf(start),
      label: `train ${label}`,
    });
    return [deriveNetwork({ start, variables }, { label, trainedOn: name, task: key })];
  },
};
