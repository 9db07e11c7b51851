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
  resolveParameters,
  type TensorParameters,
} from "./parameters.ts";
