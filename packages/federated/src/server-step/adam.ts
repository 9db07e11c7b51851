import { at } from "@isthmus/core";
import type { TensorParameters } from "@isthmus/merging";
import type { OfMerge } from "../rules/parameters.ts";
import { type AdaptiveSpecs, BETA1, BETA2, learningRateOf, TAU } from "./parameters.ts";
import type { ServerStep } from "./server-step.ts";
import { stateArray } from "./state-array.ts";

type AdamSpecs = AdaptiveSpecs & { readonly correction: OfMerge<Correction> };
type Correction = "flower" | "adam" | "none";

const PARAMETERS: AdamSpecs = {
  learningRate: learningRateOf(0.1),
  beta1: BETA1,
  beta2: BETA2,
  tau: TAU,
  correction: {
    description:
      "How the first rounds are corrected, in which means of changes are still near 0: as Flower, with the exponents " +
      "of the next round; as Adam, with those of this one; or not at all, as in the paper.",
    of: "merge",
    default: "flower",
    choices: ["flower", "adam", "none"],
  },
};

/**
 * Adam on the aggregated change.
 *
 * Flower 1.42 corrects round `r` by the powers `r + 1` of both betas, while Adam uses the powers `r`, as
 * Flower counts rounds from 1. So the first step of Flower is 0.74 of Adam's; the default is Flower's, so
 * that its learning rates can be kept.
 */
export const adam: ServerStep<AdamSpecs> = {
  name: "adam",
  description: "Moves each element by the mean of its changes, divided by the root of their mean square.",
  source: "Reddi et al., Adaptive federated optimization, 2021, algorithm 2 (FedAdam)",
  parameters: PARAMETERS,
  states: ["mean", "square"],
  stepInPlace(block, parameters) {
    const { change, values, round } = block;
    const { beta1, beta2, tau } = parameters;
    const [means, squares] = [stateArray(block, "mean"), stateArray(block, "square")];
    const rate = parameters.learningRate * correctionOf(parameters, round);
    for (let i = 0; i < values.length; i++) {
      const delta = at(change, i);
      const mean = beta1 * at(means, i) + (1 - beta1) * delta;
      const square = beta2 * at(squares, i) + (1 - beta2) * delta * delta;
      means[i] = mean;
      squares[i] = square;
      // If nothing ever changed and tau is 0, 0 / 0 would be NaN.
      if (mean !== 0) values[i] = at(values, i) + (rate * mean) / (Math.sqrt(square) + tau);
    }
  },
};

function correctionOf({ beta1, beta2, correction }: TensorParameters<AdamSpecs>, round: number): number {
  if (correction === "none") return 1;
  const power = correction === "flower" ? round + 1 : round;
  return Math.sqrt(1 - beta2 ** power) / (1 - beta1 ** power);
}
