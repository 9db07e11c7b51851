import { defineTaskArithmetic, type TaskArithmeticMethod } from "../task-vectors/define-task-arithmetic.ts";
import type { ConsensusSpecs } from "../task-vectors/parameters.ts";
import { byChanceInRows, type RowChanceSpecs } from "../task-vectors/sparsifiers.ts";

/**
 * Task arithmetic on differences that are kept by chance, larger ones more often, of which only differences
 * of an elected sign are averaged.
 */
export const della: TaskArithmeticMethod<RowChanceSpecs & ConsensusSpecs> = defineTaskArithmetic({
  name: "della",
  description:
    "Keeps larger differences to the base with higher probability, scales them up, elects a sign for each element, and averages the differences of that sign.",
  source: "Deep et al., DELLA-merging, 2024, section 3",
  sparsifier: byChanceInRows,
  electsSigns: true,
  normalize: true,
  rescale: true,
});
