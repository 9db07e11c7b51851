import { defineTaskArithmetic, type TaskArithmeticMethod } from "../task-vectors/define-task-arithmetic.ts";

/** Base plus the weighted sum of the differences of all networks from it. */
export const taskArithmetic: TaskArithmeticMethod = defineTaskArithmetic({
  name: "task_arithmetic",
  description: "Adds each network's weighted difference to the base.",
  source: "Ilharco et al., Editing models with task arithmetic, 2022, section 2",
  electsSigns: false,
  normalize: false,
  rescale: false,
});
