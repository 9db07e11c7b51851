export type { ComparedArchitecture } from "./compare/alignment-gain.ts";
export { CHECK_MERGE_DEFAULTS, type CheckMergeOptions, checkMerge } from "./compare/check-merge.ts";
export {
  COMPARE_NETWORKS_DEFAULTS,
  type CompareNetworksOptions,
  type CompareProgress,
  compareNetworks,
} from "./compare/compare-networks.ts";
export type {
  AlignmentGain,
  MovedRows,
  NetworkComparison,
  NetworkTraits,
  PairComparison,
  TaskVectors,
  TensorPair,
  VocabularyPair,
} from "./compare/comparison.ts";
export type { FindingKind, MergeFinding } from "./compare/findings/merge-finding.ts";
export { type JudgeMergeOptions, judgeMerge, type MergeVerdict } from "./compare/judge-merge.ts";
export { type PairVerdict, VERDICTS, type Verdict } from "./compare/judge-pair.ts";
export { type ModelFacts, readModelFacts } from "./compare/model-facts.ts";
export type { QuantizedForm } from "./compare/quantized-form.ts";
export { KINSHIP } from "./compare/thresholds.ts";
export { type CmaEs, type CmaEsOptions, type CmaEsStop, createCmaEs } from "./search/cma-es.ts";
export {
  SEARCH_RECIPE_DEFAULTS,
  type SearchCandidate,
  type SearchProgress,
  type SearchRecipeOptions,
  type SearchResult,
  type SearchStop,
  searchRecipe,
} from "./search/search-recipe.ts";
export { listSearched, type SearchedNumber } from "./search/search-space.ts";
