import { at } from "@isthmus/core";
import { layVectors, type VectorFactors } from "../kernels/vector-arcs.ts";
import type { MergeMethod } from "../merge-method.ts";
import type { TensorParameters } from "../parameters.ts";
import { cosineOf } from "../sphere/arc.ts";
import { measureGram } from "../sphere/measure-gram.ts";
import { arcOrLine, measureVectorArcs, mixVectorsInto } from "../sphere/vector-arcs.ts";
import { addWeightedInto } from "../weighted-sum.ts";

const PARAMETERS = {
  weight: {
    description: "How much of the network is in the result; the place on the arc is the share of the second.",
    of: "network",
    default: 1,
  },
  nuslerp_flatten: {
    description: "Whether a tensor is one vector; else it is cut into vectors that have arcs of their own.",
    of: "merge",
    default: true,
  },
  nuslerp_row_wise: {
    description: "Whether vectors run along the first axis, instead of the last, where tensors are cut.",
    of: "merge",
    default: false,
  },
} as const;

type Parameters = TensorParameters<typeof PARAMETERS>;

/** Size of a sum of weights below which it counts as 0. */
const NO_WEIGHT = 1e-6;

/** Computes the place on the arc; 0.5 if weights cancel out, as in mergekit. */
function placeOf({ weight }: Parameters): number {
  const total = at(weight, 0) + at(weight, 1);
  return Math.abs(total) < NO_WEIGHT ? 0.5 : at(weight, 1) / total;
}

const axisOf = ({ nuslerp_row_wise }: Parameters) => (nuslerp_row_wise ? "first" : "last");

/**
 * Point on the arc between two networks by their weights, for whole tensors or for the vectors along an axis.
 * With a base, it is on the arc between the differences from the base.
 *
 * Colinear vectors, including opposite ones, are merged on the line.
 */
export const nuslerp: MergeMethod<typeof PARAMETERS, VectorFactors | readonly number[]> = {
  name: "nuslerp",
  description: "Goes from one network to the other on arcs of tensors, or of their vectors, by weights.",
  source: "mergekit 0.1.5, 2026, nuslerp; Shoemake, 1985, section 3.3",
  parameters: PARAMETERS,
  networks: { least: 2, most: 2, base: "optional" },
  integersFrom: (parameters) => (placeOf(parameters) > 0.5 ? 1 : 0),
  // Factors of short vectors are more than the tensor.
  keepsTensor: true,
  async survey(tensor) {
    const t = placeOf(tensor.parameters);
    if (!tensor.parameters.nuslerp_flatten) {
      return measureVectorArcs(tensor, layVectors(tensor.info.shape, axisOf(tensor.parameters)), t);
    }
    const [[squareA = 0, product = 0] = [], [, squareB = 0] = []] = await measureGram(tensor);
    return arcOrLine(cosineOf(product, squareA, squareB), t) ?? [1 - t, t];
  },
  blendInto({ tensor, parts, base, begin, survey }, out) {
    if ("factors" in survey) {
      const layout = layVectors(tensor.info.shape, axisOf(tensor.parameters));
      mixVectorsInto({ parts, base, begin }, layout, survey, out);
    } else if (base === undefined) addWeightedInto(parts, survey, out);
    else addWeightedInto([...parts, base], [...survey, 1 - at(survey, 0) - at(survey, 1)], out);
  },
};
