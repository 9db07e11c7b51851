import { defineTaskArithmetic, type TaskArithmeticMethod } from "../task-vectors/define-task-arithmetic.ts";
import { byMagnitudeWithoutOutliers, type OutlierSpecs } from "../task-vectors/sparsifiers.ts";

/** Task arithmetic on differences of medium size. */
export const breadcrumbs: TaskArithmeticMethod<OutlierSpecs> = defineTaskArithmetic({
  name: "breadcrumbs",
  description: "Drops the largest and the smallest differences to the base, and adds the others by weight.",
  source: "Davari and Belilovsky, Model breadcrumbs, 2023, section 3",
  sparsifier: byMagnitudeWithoutOutliers,
  electsSigns: false,
  normalize: false,
  rescale: false,
});
