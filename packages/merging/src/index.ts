export { type MergeOptions, merge, planMerge } from "./merge.ts";
export {
  defineMergeMethod,
  type MergedNetworks,
  type MergedRange,
  type MergedTensor,
  type MergeMethod,
} from "./merge-method.ts";
export { type MergePlan, mergeByPlan, type PlannedSource, type PlannedTensor } from "./merge-plan.ts";
export { isoC } from "./methods/iso-c.ts";
export { isoCts } from "./methods/iso-cts.ts";
export { knots } from "./methods/knots.ts";
export { linear } from "./methods/linear.ts";
export { slerp } from "./methods/slerp.ts";
export { calibrated, svc } from "./methods/svc.ts";
export { tsvM } from "./methods/tsv-m.ts";
export { wudi } from "./methods/wudi.ts";
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
