import { at, resolveFields } from "@isthmus/core";
import { CONNECTIVITY_FIELDS, type ConnectivityRules, tuneByConnectivity } from "@isthmus/mechanisms";
import { pathOf } from "@isthmus/tasks";
import { z } from "zod";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { filesOf } from "../plan/planned-network.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";
import { deriveNetwork, keyedOf } from "./derive-network.ts";
import { makingTask, WEIGHTS_FILE } from "./making-task.ts";
import type { NetworkMaker } from "./network-maker.ts";
import type { TunedNetwork } from "./tune.ts";

/**
 * Networks that are trained on from networks of another group by connectivity-based fine-tuning, so that they
 * use a cue no longer; options that are missing have the defaults of `tuneByConnectivity`.
 */
export interface ConnectivityTunedNetwork
  extends Pick<TunedNetwork, "tune" | "where" | "data">,
    ConnectivityRules {
  readonly method: "cbft";
  /** Name of examples with the cue; `data` names examples without. */
  readonly cue: string;
}

/** How a network is trained on so that it uses a cue no longer. */
interface ConnectivityParams {
  /** Examples without the cue. */
  readonly data: TaskData;
  readonly cue: TaskData;
  readonly options: Readonly<Record<string, unknown>>;
}

const REQUIRED = ["seed"] as const;

const TASK = makingTask<ConnectivityParams>({
  name: "tune-by-connectivity",
  version: 1,
  params: z.strictObject({
    data: TASK_DATA,
    cue: TASK_DATA,
    options: z.strictObject(shapeOfFields(CONNECTIVITY_FIELDS, REQUIRED)),
  }),
  async make({ inputs, open, openData, save, resuming, onProgress }, { data, cue, options }) {
    const { architecture, inputNames, networks } = await open([pathOf(inputs, "network")]);
    const { network, restore } = at(networks, 0, "network");
    const clean = await openData(data.name, inputNames);
    const examples = { clean, cue: await openData(cue.name, inputNames) };
    const rules = resolveFields("tune by connectivity", CONNECTIVITY_FIELDS, options);
    const { weights, ...result } = await tuneByConnectivity(architecture, network, examples, {
      ...rules,
      ...resuming,
      onProgress: ({ done }) => onProgress(done),
    });
    await save(WEIGHTS_FILE, restore(weights));
    const { steps, gradients, epochs } = result;
    return { data: data.name, seed: rules.seed, steps, gradients, epochs };
  },
});

/** Trains networks on so that they use a cue no longer. */
export const TUNE_BY_CONNECTIVITY: NetworkMaker<"each", ConnectivityTunedNetwork, ConnectivityRules> = {
  key: "tune",
  way: ["method", "cbft"],
  from: "each",
  options: CONNECTIVITY_FIELDS,
  required: REQUIRED,
  beside: { data: NAMED_DATA, cue: NAMED_DATA },
  task: TASK,
  async plan({ entry, start, variables, planner }) {
    const { data: name, cue: cueName, method } = entry;
    const inputNames = start.architecture.inputs.map((input) => input.name);
    const { description: data } = await planner.open(name, inputNames);
    const { description: cue } = await planner.open(cueName, inputNames);
    const label = `${start.label}, then ${name} by ${method}`;
    const { key } = planner.add(TASK, {
      params: { data, cue, options: keyedOf(CONNECTIVITY_FIELDS, entry) },
      inputs: filesOf(start),
      label: `train ${label}`,
    });
    return [deriveNetwork({ start, variables }, { label, trainedOn: name, task: key })];
  },
};
