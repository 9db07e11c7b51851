import { defineTaskArithmetic, type TaskArithmeticMethod } from "../task-vectors/define-task-arithmetic.ts";
import type { ConsensusSpecs } from "../task-vectors/parameters.ts";
import { byMagnitudeWithoutOutliers, type OutlierSpecs } from "../task-vectors/sparsifiers.ts";

/** Task arithmetic on differences of medium size, of which only differences of an elected sign are added. */
export const breadcrumbsTies: TaskArithmeticMethod<OutlierSpecs & ConsensusSpecs> = defineTaskArithmetic({
  name: "breadcrumbs_ties",
  description:
    "Drops the largest and the smallest differences to the base, elects a sign for each element, and adds the differences of that sign.",
  source:
    "Davari and Belilovsky, Model breadcrumbs, 2023, section 3; Yadav et al., TIES-merging, 2023, algorithm 1",
  sparsifier: byMagnitudeWithoutOutliers,
  electsSigns: true,
  normalize: false,
  rescale: false,
});
