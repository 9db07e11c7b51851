import { at } from "@isthmus/core";
import { type AdaptiveSpecs, learningRateOf, TAU } from "./parameters.ts";
import type { ServerStep } from "./server-step.ts";
import { stateArray } from "./state-array.ts";

type AdagradSpecs = Pick<AdaptiveSpecs, "learningRate" | "tau">;

/** Adagrad on the aggregated change: the more an element has changed before, the shorter its steps get. */
export const adagrad: ServerStep<AdagradSpecs> = {
  name: "adagrad",
  description: "Moves each element by its change, divided by the root of the sum of its squared changes.",
  source: "Reddi et al., Adaptive federated optimization, 2021, algorithm 2 (FedAdagrad)",
  parameters: { learningRate: learningRateOf(0.1), tau: TAU },
  states: ["square"],
  stepInPlace(block, { learningRate, tau }) {
    const { change, values } = block;
    const squares = stateArray(block, "square");
    for (let i = 0; i < values.length; i++) {
      const delta = at(change, i);
      const square = at(squares, i) + delta * delta;
      squares[i] = square;
      // If nothing ever changed and tau is 0, 0 / 0 would be NaN.
      if (delta !== 0) values[i] = at(values, i) + (learningRate * delta) / (Math.sqrt(square) + tau);
    }
  },
};
