export { type MergeOptions, merge, planMerge } from "./merge.ts";
export {
  defineMergeMethod,
  type MergedNetworks,
  type MergedRange,
  type MergedTensor,
  type MergeMethod,
} from "./merge-method.ts";
export { type MergePlan, mergeByPlan, type PlannedSource, type PlannedTensor } from "./merge-plan.ts";
export { arceeFusion } from "./methods/arcee-fusion.ts";
export { breadcrumbs } from "./methods/breadcrumbs.ts";
export { breadcrumbsTies } from "./methods/breadcrumbs-ties.ts";
export { dareLinear } from "./methods/dare-linear.ts";
export { dareTies } from "./methods/dare-ties.ts";
export { della } from "./methods/della.ts";
export { dellaLinear } from "./methods/della-linear.ts";
export { linear } from "./methods/linear.ts";
export { modelStock } from "./methods/model-stock.ts";
export { nearswap } from "./methods/nearswap.ts";
export { ram } from "./methods/ram.ts";
export { ramplusTl } from "./methods/ramplus-tl.ts";
export { sce } from "./methods/sce.ts";
export { slerp } from "./methods/slerp.ts";
export { taskArithmetic } from "./methods/task-arithmetic.ts";
export { ties } from "./methods/ties.ts";
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
