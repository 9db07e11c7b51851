import { at } from "@isthmus/core";
import type { MergeMethod } from "../merge-method.ts";
import { addWeightedInto } from "../weighted-sum.ts";

const PARAMETERS = {
  scale: {
    description: "Factor of all elements; 1 copies them.",
    of: "network",
    default: 1,
  },
} as const;

/**
 * Tensors of one network, multiplied by a factor that may differ from tensor to tensor; used to stack layers.
 */
export const passthrough: MergeMethod<typeof PARAMETERS> = {
  name: "passthrough",
  description: "Takes the tensors of one network, scaled if asked for.",
  source: "mergekit 0.1.5, 2026, passthrough",
  parameters: PARAMETERS,
  networks: { least: 1, most: 1, base: "none" },
  blendInto({ tensor, parts }, out) {
    addWeightedInto([at(parts, 0)], tensor.parameters.scale, out);
  },
};
