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
