import { defineTaskArithmetic, type TaskArithmeticMethod } from "../task-vectors/define-task-arithmetic.ts";
import type { ConsensusSpecs } from "../task-vectors/parameters.ts";
import { byMagnitude } from "../task-vectors/sparsifiers.ts";

/**
 * Task arithmetic on the largest differences of each network, of which only differences of an elected sign
 * are averaged.
 */
export const ties: TaskArithmeticMethod<ConsensusSpecs> = defineTaskArithmetic({
  name: "ties",
  description:
    "Keeps the largest differences to the base, elects a sign for each element, and averages the differences of that sign.",
  source: "Yadav et al., TIES-merging, 2023, algorithm 1",
  sparsifier: byMagnitude,
  electsSigns: true,
  normalize: true,
  rescale: false,
});
