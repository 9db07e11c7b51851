import { at } from "@isthmus/core";
import type { ServerStep } from "./server-step.ts";
import { stateArray } from "./state-array.ts";

const PARAMETERS = {
  learningRate: {
    description: "Multiplies the step.",
    of: "merge",
    default: 1,
    least: 0,
  },
  momentum: {
    description: "How much of the step before is in this one; 0 gives FedAvg.",
    of: "merge",
    default: 0.9,
    least: 0,
    most: 1,
  },
} as const;

/**
 * Momentum: the step is the change and a share of the step before.
 *
 * Flower's default is a momentum of 0, with which its FedAvgM is FedAvg; ours is the paper's.
 */
export const momentum: ServerStep<typeof PARAMETERS> = {
  name: "momentum",
  description: "Moves the network by the change and a share of the steps before.",
  source: "Hsu et al., Measuring the effects of non-identical data distribution, 2019, section 3 (FedAvgM)",
  parameters: PARAMETERS,
  states: ["momentum"],
  isLinear: true,
  stepInPlace(block, parameters) {
    const { change, values } = block;
    const sums = stateArray(block, "momentum");
    for (let i = 0; i < values.length; i++) {
      const sum = parameters.momentum * at(sums, i) + at(change, i);
      sums[i] = sum;
      values[i] = at(values, i) + parameters.learningRate * sum;
    }
  },
};
