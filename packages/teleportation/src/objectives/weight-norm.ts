import { parameterNames } from "@isthmus/graph";
import type { Doubles } from "../element.ts";
import type { ObjectiveKind } from "./objective.ts";

/** Norm of all parameters: the least is that of balanced scales, which are a start of every teleport. */
export const WEIGHT_NORM: ObjectiveKind = {
  subject: "norm of the weights",
  direction: "lower",
  needsData: false,
  async open({ architecture: { graph } }) {
    const names = new Set(parameterNames(graph));
    const chosen = (weights: Doubles) => {
      const entries = [...weights].filter(([name]) => names.has(name));
      let square = 0;
      for (const [, values] of entries) for (const value of values) square += value * value;
      return { entries, norm: Math.sqrt(square) };
    };
    return {
      measure: async ({ weights }) => chosen(weights).norm,
      async slope({ weights }) {
        const { entries, norm } = chosen(weights);
        const gradients = new Map(
          entries.map(([name, values]) => [name, values.map((value) => value / norm)]),
        );
        return { value: norm, pairings: [{ gradients, moved: weights, areWeights: true }] };
      },
      release: async () => {},
    };
  },
};
