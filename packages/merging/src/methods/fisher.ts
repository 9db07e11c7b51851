import { normalizeWeights, withRanges } from "@isthmus/interpolation";
import { averageByImportance } from "../kernels/elementwise.ts";
import type { MergeMethod } from "../merge-method.ts";
import { computeBlocks } from "../number-blocks.ts";
import { addWeightedInto } from "../weighted-sum.ts";

const PARAMETERS = {
  weight: {
    description: "Factor of the Fisher information of the network, positive.",
    of: "network",
    default: 1,
    least: 1e-9,
  },
  floor: {
    description: "Least Fisher information of an element, positive, so that no quotient is 0 by 0.",
    of: "merge",
    default: 1e-6,
    least: 1e-9,
  },
} as const;

/**
 * Average of networks in which each element is weighted by the sensitivity of the network's loss to it, see
 * `fisherMerge`. Tensors without Fisher information get the average by the weights alone.
 */
export const fisher: MergeMethod<typeof PARAMETERS> = {
  name: "fisher",
  description: "Averages networks, each element weighted by its Fisher information in each network.",
  source: "Matena and Raffel, Merging models with Fisher-weighted averaging, 2022, equation 3",
  parameters: PARAMETERS,
  networks: { least: 1, base: "none" },
  needs: "fisher",
  async blendInto({ tensor, begin, parts }, out) {
    const { name, measured, parameters } = tensor;
    const { weight, floor } = parameters;
    if (measured === undefined) return addWeightedInto(parts, normalizeWeights(weight, weight.length), out);
    const range = { name, begin, length: out.data.length };
    await withRanges(measured, range, (importances) => {
      computeBlocks([...parts, ...importances], out, ([mean, ...more]) => {
        const rest = more.slice(0, parts.length - 1);
        averageByImportance([mean, ...rest], more.slice(parts.length - 1), weight, floor);
      });
    });
  },
};
