import { defineTaskArithmetic, type TaskArithmeticMethod } from "../task-vectors/define-task-arithmetic.ts";
import { byChanceInRows, type RowChanceSpecs } from "../task-vectors/sparsifiers.ts";

/** Task arithmetic on differences that are kept by chance, larger ones more often. */
export const dellaLinear: TaskArithmeticMethod<RowChanceSpecs> = defineTaskArithmetic({
  name: "della_linear",
  description:
    "Keeps larger differences to the base with higher probability, scales them up, and adds them by weight.",
  source: "Deep et al., DELLA-merging, 2024, section 3",
  sparsifier: byChanceInRows,
  electsSigns: false,
  normalize: false,
  rescale: true,
});
