import { at } from "@isthmus/core";
import { QUANTIZE_FIELDS, type QuantizeChoice, quantizeNetwork } from "@isthmus/sparsity";
import { pathOf } from "@isthmus/tasks";
import { z } from "zod";
import type { WantedValues } from "../description/wanted-values.ts";
import { filesOf } from "../plan/planned-network.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import { deriveNetwork, keyedOf } from "./derive-network.ts";
import { makingTask, WEIGHTS_FILE } from "./making-task.ts";
import type { NetworkMaker } from "./network-maker.ts";

/** Networks of another group with their weights on a grid. */
export interface QuantizedStudyNetwork extends QuantizeChoice {
  /** Name of the group of networks to quantise, which must come before; each that agrees is. */
  readonly quantize: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
}

const TASK = makingTask<QuantizeChoice>({
  name: "quantize",
  version: 1,
  params: z.strictObject(shapeOfFields(QUANTIZE_FIELDS, ["bits", "scheme"])),
  async make({ inputs, open, save }, options) {
    const { architecture, networks } = await open([pathOf(inputs, "network")]);
    const { network, restore } = at(networks, 0, "network");
    const { weights, result } = await quantizeNetwork(network, { ...options, graph: architecture.graph });
    await save(WEIGHTS_FILE, restore(weights));
    return { ...result, network: "network" };
  },
});

/** Puts weights of networks on a grid. */
export const QUANTIZE: NetworkMaker<"each", QuantizedStudyNetwork, QuantizeChoice> = {
  key: "quantize",
  from: "each",
  options: QUANTIZE_FIELDS,
  task: TASK,
  async plan({ entry, start, variables, planner }) {
    const params = keyedOf(QUANTIZE_FIELDS, entry);
    const label = `${start.label}, ${params["bits"]} bits`;
    const { key } = planner.add(TASK, { params, inputs: filesOf(start), label: `quantise ${label}` });
    return [deriveNetwork({ start, variables }, { label, task: key })];
  },
};
