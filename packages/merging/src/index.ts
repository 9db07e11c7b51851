export {
  type EstimateMergeOptions,
  estimateMerge,
  type MergeEstimate,
} from "./executor/estimate-merge.ts";
export { describeFileMerge, type FileMerge } from "./executor/file-merge.ts";
export {
  type MergeSource,
  type OpenedMerge,
  type OpenMerge,
  openMergeSource,
} from "./executor/merge-source.ts";
export type { MergedFile, MergedInput, MergeProvenance } from "./executor/provenance.ts";
export {
  type MergedTensors,
  type SaveMergeResult,
  saveMerge,
} from "./executor/save-merge.ts";
export {
  type MergeProgress,
  SAVE_MERGE_DEFAULTS,
  type SaveMergeOptions,
} from "./executor/save-merge-options.ts";
export {
  type TensorDeviation,
  type VerifyMergeOptions,
  type VerifyMergeResult,
  verifyMerge,
} from "./executor/verify-merge.ts";
export { type MergeOptions, merge, planMerge } from "./merge.ts";
export {
  defineMergeMethod,
  type MergedNetworks,
  type MergedRange,
  type MergedTensor,
  type MergeMethod,
} from "./merge-method.ts";
export { type MergePlan, mergeByPlan, type PlannedSource, type PlannedTensor } from "./merge-plan.ts";
export { linear } from "./methods/linear.ts";
export { slerp } from "./methods/slerp.ts";
export { MERGE_METHODS } from "./methods.ts";
export {
  byLayer,
  type GivenParameters,
  type ParameterSpec,
  type ParameterSpecs,
  type ParameterValue,
  type PerTensor,
  type TensorParameters,
} from "./parameters.ts";
