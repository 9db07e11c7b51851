import { at } from "@isthmus/core";
import { addTrainedDifference } from "../kernels/elementwise.ts";
import type { MergeMethod } from "../merge-method.ts";
import { computeBlocks } from "../number-blocks.ts";

const PARAMETERS = {
  alpha: {
    description: "How much of the difference is added, before the factor of 1.8 that the method has.",
    of: "merge",
    default: 1,
  },
} as const;

/** Factor of all changes, as in supermerger. */
const STRENGTH = 1.8;

/**
 * First network plus the change of the second from the base, element by element by the share that the first
 * network lacks: `a + 1.8 alpha (b - c) |b - a| / (|b - c| + |b - a|)`, where `c` is the base.
 *
 * An element that is equal in both networks does not change, nor does one that training did not change.
 */
export const trainDifference: MergeMethod<typeof PARAMETERS> = {
  name: "train_difference",
  description: "Adds the second network's change from the base to the first, as far as the first lacks it.",
  source: "hako-mikan, supermerger, trainDifference, 2023; sd-mecha 1.1, train_difference_mask, 2025",
  parameters: PARAMETERS,
  networks: { least: 2, most: 2, base: "required" },
  blendInto({ tensor, parts, base }, out) {
    if (base === undefined) return;
    const strength = STRENGTH * tensor.parameters.alpha;
    computeBlocks([at(parts, 0), at(parts, 1), base], out, ([merged, trained = merged, origin = merged]) =>
      addTrainedDifference(merged, trained, origin, strength),
    );
  },
};
