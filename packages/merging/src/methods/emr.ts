import { addElected, addElectedSizes } from "../kernels/elected.ts";
import type { MergeMethod } from "../merge-method.ts";
import { scanDeltas } from "../task-vectors/scan-deltas.ts";
import { assertTask, TASK } from "../task-vectors/task-parameter.ts";
import { writeDeltas } from "../task-vectors/write-deltas.ts";

const PARAMETERS = {
  task: TASK as typeof TASK,
  lambda: {
    description: "Factor of the changes that are brought back.",
    of: "merge",
    default: 1,
  },
} as const;

/**
 * EMR-Merging: elect, mask, rescale. All networks share one change of each element, the largest of those with
 * the elected sign; a network is brought back from it by the mask of the elements where it agrees, and by a
 * factor that gives its changes their mean size.
 *
 * The factor is that of each tensor, `sum |d_t| / sum |mask_t d|`. The paper has one factor for a whole
 * network; the authors' code sums the means of the tensors instead of their elements, so that a bias counts
 * as much as the largest matrix, and is NaN for a network that agrees nowhere, which is the base here. All
 * three are the same for a network of one tensor. As in their code, a sum of changes of exactly 0 elects the
 * negative sign.
 */
export const emr: MergeMethod<typeof PARAMETERS, number> = {
  name: "emr",
  description:
    "Brings one network back from the largest changes of an elected sign, by the mask and the size of its own changes.",
  source: "Huang et al., EMR-Merging: tuning-free high-performance model merging, 2024, algorithm 1",
  parameters: PARAMETERS,
  networks: { least: 1, base: "required" },
  async survey(tensor) {
    const { task } = tensor.parameters;
    assertTask(tensor, task, "emr");
    const sizes = { own: 0, shared: 0 };
    await scanDeltas(tensor, ({ deltas }) => addElectedSizes(deltas, task, sizes));
    return sizes.shared > 0 ? sizes.own / sizes.shared : 1;
  },
  blendInto(range, out) {
    const { task, lambda } = range.tensor.parameters;
    const factor = lambda * range.survey;
    return writeDeltas(range, out, ({ base, deltas }, result) =>
      addElected(base, deltas, { task, factor }, result),
    );
  },
};
