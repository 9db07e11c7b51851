export {
  activationStatistics,
  crossStatistics,
  type MeasuredViews,
  type PairStatisticsOptions,
  pairStatistics,
  type ViewedNetwork,
} from "./activations/activation-statistics.ts";
export { findLinearLayers, type LinearLayer } from "./activations/find-linear-layers.ts";
export {
  type MeasureGramsOptions,
  type MeasureGramsResult,
  measureGrams,
} from "./activations/measure-grams.ts";
export { measureSecondMoments, type SecondMoments } from "./activations/measure-second-moments.ts";
export type { PairStatistics } from "./activations/pair-moments.ts";
export { SAMPLE_UNITS_DEFAULTS, type SampleUnitsOptions, sampleUnits } from "./activations/sample-units.ts";
export type { ActivationStatisticsOptions, ExamplesProgress } from "./activations/statistics-options.ts";
export type { UnitStatistics } from "./activations/unit-moments.ts";
export type { UnitView } from "./activations/unit-view.ts";
export { type VisitedNetwork, visitActivations } from "./activations/visit-activations.ts";
export {
  type ChosenStatistics,
  chooseStatistics,
  STATISTICS_CHOICES,
  STATISTICS_EXAMPLES,
  type StatisticsChoice,
} from "./policy/choose-statistics.ts";
export {
  type Correction,
  type CorrectionOptions,
  type CorrectStatisticsOptions,
  correctStatistics,
  createCorrection,
  holdInMemory,
} from "./policy/correct-statistics.ts";
export { normField, STATISTICS_FIELD } from "./policy/statistics-fields.ts";
export {
  NORM_POLICIES,
  type NormPolicy,
  STATISTICS_POLICIES,
  type StatisticsPolicy,
} from "./policy/statistics-policy.ts";
export { countBatchNorms } from "./repair/batch-norm-sites.ts";
export { type RecalibrateOptions, recalibrateBatchNorm } from "./repair/recalibrate-batch-norm.ts";
export { createRepairer, type Repairer, type RepairOptions, type RepairShares } from "./repair/repair.ts";
