import { at, type FieldsOf, InputError, seedField } from "@isthmus/core";
import { scatterNetwork } from "@isthmus/ensemble";
import { count, seed } from "@isthmus/forms";
import { pathOf } from "@isthmus/tasks";
import * as z from "zod";
import type { WantedValues } from "../description/wanted-values.ts";
import { NAMED_DATA } from "../file/entry-fields.ts";
import { filesOf } from "../plan/planned-network.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";
import { deriveNetwork } from "./derive-network.ts";
import type { GroupMaker } from "./group-maker.ts";
import { makingTask, WEIGHTS_FILE } from "./making-task.ts";

/** Options of the random directions. */
interface ScatterChoice {
  /** Seed of the directions. */
  readonly seed: number;
}

/**
 * Controls of the networks of another group, which were collected: each is as far from the network that its
 * original was collected from, in a random direction.
 */
export interface ScatteredStudyNetwork extends ScatterChoice {
  /** Name of the group of collected networks, which must come before. */
  readonly scatter: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Name of the examples that batch norms are measured on. */
  readonly data: string;
}

const FIELDS: FieldsOf<ScatterChoice> = { seed: seedField("seed of the directions") };

/**
 * Parameters of a task that draws a network: seed, number, and the examples that batch norms are measured on.
 */
interface ScatterParams extends ScatterChoice {
  readonly data: TaskData;
  /** Number of the network among all networks of the seed. */
  readonly number: number;
}

const TASK = makingTask<ScatterParams>({
  name: "scatter",
  version: 1,
  params: z.strictObject({ data: TASK_DATA, seed, number: count(0) }),
  async make({ inputs, signal, open, openData, save }, { data, seed: drawn, number }) {
    const paths = [pathOf(inputs, "start"), pathOf(inputs, "network")];
    const { architecture, inputNames, networks } = await open(paths);
    const [start, other] = [at(networks, 0, "start"), at(networks, 1, "network")];
    const statisticsData = await openData(data.name, inputNames);
    const pair = [start.network, other.network] as const;
    const options = { seed: drawn, number, statisticsData, signal };
    await save(WEIGHTS_FILE, other.restore(await scatterNetwork(architecture, pair, options)));
    return { seed: drawn };
  },
});

/** Maker of a network in a random direction for every collected network. */
export const SCATTER: GroupMaker<"each", ScatteredStudyNetwork, ScatterChoice> = {
  key: "scatter",
  from: "each",
  options: FIELDS,
  required: ["seed"],
  beside: { data: NAMED_DATA },
  task: TASK,
  async plan({ group, entry: { scatter, seed: drawn, data: name }, start, variables, number, planner }) {
    if (start.start === undefined) {
      throw new InputError(
        `Cannot plan "networks.${group}" of the study as networks "${scatter}" must be collected from others, to be as far from them: ${start.label} is not`,
        { input: group },
      );
    }
    const inputNames = start.architecture.inputs.map((input) => input.name);
    const { description: data } = await planner.open(name, inputNames);
    const label = `${start.label}, in a random direction`;
    const { key } = planner.add(TASK, {
      params: { data, seed: drawn, number },
      inputs: { ...filesOf(start), start: [start.start] },
      label: `make ${label}`,
    });
    return [deriveNetwork({ start, variables }, { label, task: key })];
  },
};
