import { defineTaskArithmetic, type TaskArithmeticMethod } from "../task-vectors/define-task-arithmetic.ts";
import { byChance } from "../task-vectors/sparsifiers.ts";

/** Task arithmetic on differences that are kept by chance and scaled up to compensate. */
export const dareLinear: TaskArithmeticMethod = defineTaskArithmetic({
  name: "dare_linear",
  description: "Keeps differences to the base by chance, scales them up, and adds them by weight.",
  source: "Yu et al., Language models are super Mario, 2023, section 3.2",
  sparsifier: byChance,
  electsSigns: false,
  normalize: false,
  rescale: true,
});
