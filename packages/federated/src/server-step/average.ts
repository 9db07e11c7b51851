import { at } from "@isthmus/core";
import type { ServerStep } from "./server-step.ts";

const PARAMETERS = {
  learningRate: {
    description: "Multiplies the change; 1 gives FedAvg.",
    of: "merge",
    default: 1,
    least: 0,
  },
} as const;

/** The plain step: values move by the change, multiplied by a learning rate. */
export const average: ServerStep<typeof PARAMETERS> = {
  name: "average",
  description: "Moves the network by the aggregated change, multiplied by a learning rate.",
  source: "Reddi et al., Adaptive federated optimization, 2021, algorithm 1 with SGD",
  parameters: PARAMETERS,
  states: [],
  isLinear: true,
  stepInPlace({ change, values }, { learningRate }) {
    for (let i = 0; i < values.length; i++) values[i] = at(values, i) + learningRate * at(change, i);
  },
};
