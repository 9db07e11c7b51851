export type { MergedSymmetry, PartialWidth } from "./partial/choose/choose-merged.ts";
export type { FittedLayer } from "./partial/fit/fit-layer.ts";
export { FIT_DEFAULTS, type FitOptions } from "./partial/fit/fit-layers.ts";
export {
  MERGE_PARTIALLY_DEFAULTS,
  type MergePartiallyOptions,
  type MergePartiallyProgress,
  type MergePartiallyResult,
  mergePartially,
  PAIR_SIMILARITIES,
  type PairSimilarity,
} from "./partial/merge-partially.ts";
export type { WideningProof } from "./partial/network/prove-widening.ts";
export type { TriedScale } from "./transfer/choose-scale.ts";
export type { TaskMeasure, TaskTensor } from "./transfer/measure-task.ts";
export type { TransferProgress, TransferTaskOptions } from "./transfer/transfer-options.ts";
export {
  type TransferredNetworks,
  type TransferSummary,
  type TransferTaskResult,
  transferTask,
} from "./transfer/transfer-task.ts";
export { ACTIVATION_COSTS, type ActivationCost } from "./transport/activation-costs.ts";
export { type FusableNetwork, type FuseNetworksResult, fuseNetworks } from "./transport/fuse-networks.ts";
export {
  FUSE_METHODS,
  FUSE_NETWORKS_DEFAULTS,
  type FuseMethod,
  type FuseNetworksOptions,
  type FuseProgress,
} from "./transport/fuse-options.ts";
export type { Partners } from "./transport/kernels/partners.ts";
export { type SinkhornOptions, type SinkhornResult, sinkhorn } from "./transport/sinkhorn.ts";
export { PLAN_KINDS, type PlanKind } from "./transport/solve-plan.ts";
export type { FusedSymmetry } from "./transport/summarize-plan.ts";
export { type FuseByMapsOptions, type FuseByMapsResult, fuseByMaps } from "./widths/fuse-by-maps.ts";
export { MAP_METHODS, type MapMethod } from "./widths/map-options.ts";
export {
  type BaseNetwork,
  type TaskAcross,
  type TransferAcrossWidthsResult,
  type TransferAcrossWidthsSummary,
  type TunedNetwork,
  transferAcrossWidths,
} from "./widths/transfer-across-widths.ts";
export type { TransferAcrossWidthsOptions } from "./widths/transfer-options.ts";
export type { MapKind, UnitMap } from "./widths/width-pair.ts";
