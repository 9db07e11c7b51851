import { takeChangesOfTask } from "../kernels/elementwise.ts";
import type { MergeMethod } from "../merge-method.ts";
import { computeBlocks } from "../number-blocks.ts";
import { assertTask, TASK } from "../task-vectors/task-parameter.ts";

const PARAMETERS = {
  task: TASK as typeof TASK,
  lambda: {
    description: "Factor of the changes that are kept.",
    of: "merge",
    default: 1,
  },
  tall_mask_lambda: {
    description: "How large a change must be, as a share of all others together, to belong to its task.",
    of: "merge",
    default: 0.6,
    least: 0,
  },
} as const;

/**
 * Base plus the sum of all changes at the elements that one network needs, which approximates that network
 * (TALL masks).
 */
export const tallMask: MergeMethod<typeof PARAMETERS> = {
  name: "tall_mask",
  description:
    "Brings one network back from the sum of the changes of all, by a mask of the elements it needs.",
  source:
    "Wang et al., Localizing task information for improved model merging and compression, 2024, equation 5",
  parameters: PARAMETERS,
  networks: { least: 1, base: "required" },
  survey(tensor) {
    assertTask(tensor, tensor.parameters.task, "tall_mask");
  },
  blendInto({ tensor, parts, base }, out) {
    if (base === undefined) return;
    const { lambda: scale, tall_mask_lambda: threshold, task } = tensor.parameters;
    computeBlocks([base, ...parts], out, ([merged, ...changed]) =>
      takeChangesOfTask(merged, changed, { threshold, task, scale }),
    );
  },
};
