export { type MergeOptions, merge } from "./merge.ts";
export {
  defineMergeMethod,
  type MergedNetworks,
  type MergedRange,
  type MergedTensor,
  type MergeMethod,
} from "./merge-method.ts";
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
