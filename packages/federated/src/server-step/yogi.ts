import { at } from "@isthmus/core";
import { type AdaptiveSpecs, BETA1, BETA2, learningRateOf, TAU } from "./parameters.ts";
import type { ServerStep } from "./server-step.ts";
import { stateArray } from "./state-array.ts";

/**
 * Yogi on the aggregated change: as Adam, but squares of changes grow and shrink by steps of the same size.
 */
export const yogi: ServerStep<AdaptiveSpecs> = {
  name: "yogi",
  description: "Moves as Adam, with squares of changes that adapt more slowly.",
  source: "Reddi et al., Adaptive federated optimization, 2021, algorithm 2 (FedYogi)",
  parameters: { learningRate: learningRateOf(0.01), beta1: BETA1, beta2: BETA2, tau: TAU },
  states: ["mean", "square"],
  stepInPlace(block, { learningRate, beta1, beta2, tau }) {
    const { change, values } = block;
    const [means, squares] = [stateArray(block, "mean"), stateArray(block, "square")];
    for (let i = 0; i < values.length; i++) {
      const delta = at(change, i);
      const mean = beta1 * at(means, i) + (1 - beta1) * delta;
      const step = (1 - beta2) * delta * delta;
      const square = at(squares, i) - step * Math.sign(at(squares, i) - delta * delta);
      means[i] = mean;
      squares[i] = square;
      // If nothing ever changed and tau is 0, 0 / 0 would be NaN.
      if (mean !== 0) values[i] = at(values, i) + (learningRate * mean) / (Math.sqrt(square) + tau);
    }
  },
};
