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
export { readModelConfig } from "./models/exact-json.ts";
export type { MergedTokenizer } from "./models/merge-tokenizer.ts";
export type { ModelConfig } from "./models/model-config.ts";
export {
  type PlanVocabularyOptions,
  planVocabulary,
  type TokenizerOptions,
} from "./models/plan-vocabulary.ts";
export type { AddedToken } from "./models/read-vocabulary.ts";
export { remapVocabulary } from "./models/remap-vocabulary.ts";
export { examineTiedWeights, type TiedWeights, untieWeights } from "./models/tied-weights.ts";
export type { TokenRow } from "./models/token-rows.ts";
export {
  assertSameVocabularySize,
  findVocabularyAxes,
  type VocabularyAxes,
  type VocabularyAxesOptions,
} from "./models/vocabulary-axes.ts";
export type {
  NetworkVocabulary,
  RowPlace,
  TokenRowSource,
  VocabularyNetwork,
  VocabularyPlan,
} from "./models/vocabulary-plan.ts";
export {
  type MergedNetwork,
  type WriteModelFilesOptions,
  type WriteModelFilesResult,
  writeModelFiles,
} from "./models/write-model-files.ts";
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
