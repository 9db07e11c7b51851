import { takeAgreedChanges } from "../kernels/elementwise.ts";
import type { MergeMethod } from "../merge-method.ts";
import { computeBlocks } from "../number-blocks.ts";

const PARAMETERS = {
  lambda: {
    description: "Factor of the changes that are kept.",
    of: "merge",
    default: 0.3,
  },
  tall_mask_lambda: {
    description: "How large a change must be, as a share of all others together, to belong to its task.",
    of: "merge",
    default: 0.6,
    least: 0,
  },
  prune_threshold: {
    description: "How many tasks an element must belong to, to be changed.",
    of: "merge",
    default: 2,
    least: 0,
  },
} as const;

/**
 * Consensus merging: task arithmetic without the elements that fewer than `prune_threshold` tasks need, by
 * default one task or none.
 *
 * An element belongs to task t if `|d_t| > tall_mask_lambda |d - d_t|`, where `d_t` is the change of network
 * t from the base and `d` is the sum of all changes.
 */
export const consensusTa: MergeMethod<typeof PARAMETERS> = {
  name: "consensus_ta",
  description: "Adds up the changes of all networks where several of them need the element.",
  source:
    "Wang et al., Localizing task information for improved model merging and compression, 2024, equations 5 and 7",
  parameters: PARAMETERS,
  networks: { least: 2, base: "required" },
  blendInto({ tensor, parts, base }, out) {
    if (base === undefined) return;
    const { lambda: scale, tall_mask_lambda: threshold, prune_threshold: agreeing } = tensor.parameters;
    computeBlocks([base, ...parts], out, ([merged, ...changed]) =>
      takeAgreedChanges(merged, changed, { threshold, agreeing, scale }),
    );
  },
};
