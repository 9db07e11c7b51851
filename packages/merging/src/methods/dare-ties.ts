import { defineTaskArithmetic, type TaskArithmeticMethod } from "../task-vectors/define-task-arithmetic.ts";
import type { ConsensusSpecs } from "../task-vectors/parameters.ts";
import { byChance } from "../task-vectors/sparsifiers.ts";

/**
 * Task arithmetic on differences that are kept by chance, of which only differences of an elected sign are
 * added.
 */
export const dareTies: TaskArithmeticMethod<ConsensusSpecs> = defineTaskArithmetic({
  name: "dare_ties",
  description:
    "Keeps differences to the base by chance, scales them up, elects a sign for each element, and adds the differences of that sign.",
  source:
    "Yu et al., Language models are super Mario, 2023, section 3.2; Yadav et al., TIES-merging, 2023, algorithm 1",
  sparsifier: byChance,
  electsSigns: true,
  normalize: false,
  rescale: true,
});
