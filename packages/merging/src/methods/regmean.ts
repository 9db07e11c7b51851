import { fromFloat64Into } from "@isthmus/core";
import type { MergeMethod } from "../merge-method.ts";
import { addWeightedInto } from "../weighted-sum.ts";
import { solveWeight } from "../with-data/solve-weight.ts";

const PARAMETERS = {
  off_diagonal: {
    description: "Factor of the products of different inputs: below 1 it protects from overfitting.",
    of: "merge",
    default: 0.95,
    least: 0,
    most: 1,
  },
} as const;

/**
 * Linear layers whose outputs on the data of every network are as close as possible to the outputs of that
 * network's layer, see the function `regmean`. Tensors without Gram matrices are averaged.
 */
export const regmeanOfGrams: MergeMethod<typeof PARAMETERS, Float64Array | undefined> = {
  name: "regmean",
  description: "Fits linear layers to the outputs of every network's layer on that network's data.",
  source: "Jin et al., Dataless knowledge fusion by merging weights of language models, 2023, equation 1",
  parameters: PARAMETERS,
  networks: { least: 1, base: "none" },
  needs: "grams",
  keepsTensor: true,
  async survey({ name, networks, measured, parameters, products }) {
    if (measured === undefined) return undefined;
    return solveWeight(name, networks, measured, { offDiagonal: parameters.off_diagonal, products });
  },
  blendInto({ parts, begin, survey }, out) {
    if (survey !== undefined)
      fromFloat64Into(survey.subarray(begin, begin + out.data.length), out.dtype, out.data);
    else
      addWeightedInto(
        parts,
        parts.map(() => 1 / parts.length),
        out,
      );
  },
};
