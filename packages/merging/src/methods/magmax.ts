import { takeLargestChange } from "../kernels/elementwise.ts";
import type { MergeMethod } from "../merge-method.ts";
import { computeBlocks } from "../number-blocks.ts";

const PARAMETERS = {
  lambda: {
    description: "Factor of the changes that are taken.",
    of: "merge",
    default: 0.5,
  },
} as const;

/**
 * Base plus the largest change of each element over all networks; the last one of equally large changes is
 * taken.
 */
export const magmax: MergeMethod<typeof PARAMETERS> = {
  name: "magmax",
  description: "Takes for each element the largest change that any network made to the base.",
  source:
    "Marczak et al., MagMax: leveraging model merging for seamless continual learning, 2024, equation 2",
  parameters: PARAMETERS,
  networks: { least: 1, base: "required" },
  blendInto({ tensor, parts, base }, out) {
    if (base === undefined) return;
    computeBlocks([base, ...parts], out, ([merged, ...changed]) =>
      takeLargestChange(merged, changed, tensor.parameters.lambda),
    );
  },
};
