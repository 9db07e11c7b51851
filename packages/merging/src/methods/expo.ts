import { at, lerpInto } from "@isthmus/core";
import type { MergeMethod } from "../merge-method.ts";

const PARAMETERS = {
  alpha: {
    description: "How far to go beyond the network, as a share of its way from the base.",
    of: "merge",
    default: 0.1,
  },
} as const;

/** Method that extrapolates from the base through a network and beyond it: `x + alpha (x - base)`. */
export const expo: MergeMethod<typeof PARAMETERS> = {
  name: "expo",
  description: "Goes on from a network in the direction that it was trained in.",
  source: "Zheng et al., Model extrapolation expedites alignment, 2024, equation 1",
  parameters: PARAMETERS,
  networks: { least: 1, most: 1, base: "required" },
  blendInto({ tensor, parts, base }, out) {
    if (base !== undefined) lerpInto(base, at(parts, 0), 1 + tensor.parameters.alpha, out);
  },
};
