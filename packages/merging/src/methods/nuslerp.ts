import { at, type Elements } from "@isthmus/core";
import { scanTensor } from "@isthmus/interpolation";
import {
  addVectorProducts,
  layVectors,
  mixVectors,
  type VectorFactors,
  type VectorLayout,
} from "../kernels/vector-arcs.ts";
import type { MergedRange, MergedTensor, MergeMethod } from "../merge-method.ts";
import { computeBlocks, eachBlock } from "../number-blocks.ts";
import type { ParameterSpecs, TensorParameters } from "../parameters.ts";
import { arcFactors, cosineOf } from "../sphere/arc.ts";
import { measureGram } from "../sphere/measure-gram.ts";
import { addWeightedInto } from "../weighted-sum.ts";

/** Largest `1 - cosine^2` of colinear vectors; the rest is rounding of sums in f64. */
const COLINEAR = 1e-12;

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

/** Returns the factors of the point at `t` on the arc; undefined for colinear vectors, which have no arc. */
function arcOrLine(cosine: number, t: number): readonly [number, number] | undefined {
  return 1 - cosine * cosine <= COLINEAR ? undefined : arcFactors(cosine, t);
}

/**
 * Measures the angles between the vectors of a tensor in two networks, and returns the factors for each
 * vector.
 */
async function measureVectorArcs(
  { name, networks, base }: Pick<MergedTensor, "name" | "networks" | "base">,
  layout: VectorLayout,
  t: number,
): Promise<VectorFactors> {
  const sums = new Float64Array(3 * layout.count);
  await scanTensor(base === undefined ? networks : [...networks, base], name, (parts, begin) => {
    eachBlock(parts, ([x, y, origin], offset) => {
      if (y !== undefined) addVectorProducts([x, y, origin], begin + offset, layout, sums);
    });
  });
  const factors = new Float64Array(2 * layout.count).fill(Number.NaN);
  for (let vector = 0; vector < layout.count; vector++) {
    const [squareA = 0, product = 0, squareB = 0] = sums.subarray(3 * vector, 3 * vector + 3);
    const arc = arcOrLine(cosineOf(product, squareA, squareB), t);
    if (arc !== undefined) factors.set(arc, 2 * vector);
  }
  return { factors, t };
}

/** Merges one range of two networks vector by vector, and rounds it once. */
function mixVectorsInto<P extends ParameterSpecs>(
  { parts, base, begin }: Pick<MergedRange<P>, "parts" | "base" | "begin">,
  layout: VectorLayout,
  factors: VectorFactors,
  out: Elements,
): void {
  computeBlocks(base === undefined ? parts : [...parts, base], out, ([x, y, origin], offset) => {
    if (y !== undefined) mixVectors([x, y, origin], begin + offset, layout, factors);
  });
}
