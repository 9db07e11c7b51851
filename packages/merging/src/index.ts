export { type Adapter, type AdapterModule, createAdapter } from "./adapters/adapter.ts";
export { type AdapterConfig, parseAdapterConfig } from "./adapters/adapter-config.ts";
export { type ApplyAdapterOptions, applyAdapter } from "./adapters/apply-adapter.ts";
export type { CoreRule } from "./adapters/combine/core-space.ts";
export {
  type ExtractAdapterOptions,
  type ExtractAdapterResult,
  extractAdapter,
} from "./adapters/extract-adapter.ts";
export { type MergeAdaptersOptions, mergeAdapters } from "./adapters/merge-adapters.ts";
export { openAdapter } from "./adapters/open-adapter.ts";
export { type SaveAdapterOptions, saveAdapter } from "./adapters/save-adapter.ts";
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
