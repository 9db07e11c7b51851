export { findOtherBases } from "./compare/adapter-facts.ts";
export { ADVICE_RULES, type AdviceRule, type AdvisedWay } from "./compare/advice/advice-rules.ts";
export type { AdviceSigns, GradientSigns } from "./compare/advice/advice-signs.ts";
export { type AdviseMergeOptions, adviseMerge } from "./compare/advice/advise-merge.ts";
export {
  type AdvisedRecipeOptions,
  formatAdvisedRecipe,
  recipeOfAdvice,
} from "./compare/advice/advised-recipe.ts";
export type { MergeAdvice, NextMeasurement } from "./compare/advice/merge-advice.ts";
export type { ComparedArchitecture } from "./compare/alignment-gain.ts";
export { type CheckMergeOptions, checkMerge } from "./compare/check-merge.ts";
export { type CheckNetworksOptions, checkNetworks } from "./compare/check-networks.ts";
export {
  COMPARE_NETWORKS_DEFAULTS,
  type CompareNetworksOptions,
  type CompareProgress,
  compareNetworks,
} from "./compare/compare-networks.ts";
export type {
  AlignmentGain,
  GrowthSigns,
  MovedRows,
  NetworkComparison,
  NetworkTraits,
  PairComparison,
  TaskVectors,
  TensorPair,
  VocabularyPair,
} from "./compare/comparison.ts";
export type { ComparisonResult } from "./compare/comparison-result.ts";
export { COMPARISON_RESULT } from "./compare/comparison-result-kind.ts";
export type { FamilyTrees } from "./compare/descent/family-trees.ts";
export { listTree, type TreeRow } from "./compare/descent/list-tree.ts";
export { traceDescent } from "./compare/descent/trace-descent.ts";
export { VERDICT_MEANINGS } from "./compare/describe/verdict-meanings.ts";
export { describeWay } from "./compare/describe/way-words.ts";
export type { FindingKind, MergeFinding } from "./compare/findings/merge-finding.ts";
export { type JudgeMergeOptions, judgeMerge, type MergeVerdict } from "./compare/judge-merge.ts";
export type { PairVerdict, Verdict } from "./compare/judge-pair.ts";
export { type ModelFacts, readModelFacts } from "./compare/model-facts.ts";
export type { QuantizedForm } from "./compare/quantized-form.ts";
export { bakeVae } from "./diffusion/bake-vae.ts";
export {
  BLOCK_ARCHITECTURES,
  type BlockArchitecture,
  findBlockArchitecture,
  listBlocks,
  listNamedBlocks,
} from "./diffusion/diffusion-blocks.ts";
export { AVERAGES_USES, takeAverages } from "./diffusion/take-averages.ts";
export { inferLayout, type LayerPlace, type LayerRun, type Layout } from "./layout/infer-layout.ts";
export { compareTokens, type TokensComparison } from "./models/compare-tokens.ts";
export { type CopyModelFilesOptions, copyModelFiles } from "./models/copy-model-files.ts";
export { readModelConfig } from "./models/exact-json.ts";
export type { LicensedModel } from "./models/licences.ts";
export type { MergedTokenizer } from "./models/merge-tokenizer.ts";
export type { ConfigLayers, ModelConfig } from "./models/model-config.ts";
export { placeWeights } from "./models/place-weights.ts";
export {
  type PlanVocabularyOptions,
  planVocabulary,
  type TokenizerOptions,
} from "./models/plan-vocabulary.ts";
export { type PublishCardOptions, type PublishedCard, publishCard } from "./models/publish-card.ts";
export { type RemappedVocabulary, remapVocabulary } from "./models/remap-vocabulary.ts";
export { examineTiedWeights, type TiedWeights } from "./models/tied-weights.ts";
export type { TokenRow } from "./models/token-rows.ts";
export { type UntieModelOptions, untieModel } from "./models/untie-model.ts";
export {
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
export { type ExplainedSource, explainPlan, type TensorExplanation } from "./plan/explain-plan.ts";
export { describeGgufOrigin } from "./plan/gguf-origin.ts";
export { groupTensors, type TensorGroup } from "./plan/group-tensors.ts";
export type { AlignedInput, AlignInputs, OpenOptions } from "./plan/open-inputs.ts";
export { type PlanRecipeOptions, planRecipe } from "./plan/plan-recipe.ts";
export { type AbsentTensor, type PlanSummary, summarizePlan } from "./plan/summarize-plan.ts";
export { type FormDocument, type FormText, parseForm } from "./read/parse-form.ts";
export { isRecipeFile, parseRecipe, type ReadRecipeOptions, readRecipe } from "./read/parse-recipe.ts";
export { assertRecipe } from "./recipe/assert-recipe.ts";
export type { RecipePlaces } from "./recipe/places.ts";
export type { Path, Problem, StrictnessOptions } from "./recipe/problem.ts";
export type {
  AlignSetting,
  BlockSetting,
  ConditionalSetting,
  Gradient,
  ModelParts,
  ModelReference,
  Recipe,
  RecipeModel,
  RecipeModule,
  RecipeSlice,
  RecipeSource,
  Scalar,
  SearchMark,
  Setting,
  Settings,
  TokenizerSetting,
  TokenSource,
} from "./recipe/recipe.ts";
export { RECIPE_DTYPES } from "./recipe/recipe.ts";
export { DTYPE, FILE_REFERENCE } from "./recipe/recipe-shape.ts";
export type { Key, Shape } from "./recipe/shape.ts";
export { networkPaths } from "./run/check-opened.ts";
export { type CreateAlignerOptions, createAligner } from "./run/create-aligner.ts";
export { gatherPath, gatherRecipe, moveRecipePaths } from "./run/gather-recipe.ts";
export { nameOfReference } from "./run/list-references.ts";
export type { ModelTemplate } from "./run/model-template.ts";
export { type OpenedRecipe, type OpenRecipeOptions, openRecipe } from "./run/open-recipe.ts";
export { openReference, splitReference } from "./run/open-reference.ts";
export { modelFolderOf, type PreparedModels, type RecipeModelInput } from "./run/prepare-models.ts";
export { readMethods } from "./run/read-methods.ts";
export type { SaveRecipeOptions } from "./run/run-recipe.ts";
export { type RunRecipeOptions, type RunRecipeResult, runRecipe, saveRecipe } from "./run/run-recipe.ts";
export { openRecordedRecipe, type VerifyRecipeOptions, verifyRecipe } from "./run/verify-recipe.ts";
export { planRecipeFiles, type RecipeFiles, type RecipeFilesPlan } from "./run/write-recipe-files.ts";
export { recipeJsonSchema } from "./schema/recipe-json-schema.ts";
export { type CmaEs, type CmaEsOptions, type CmaEsStop, createCmaEs } from "./search/cma-es.ts";
export { type IdentifyRecipeOptions, identifyRecipe } from "./search/identify-recipe.ts";
export {
  type ExamplesJudge,
  type JudgeByExamplesOptions,
  judgeByCommand,
  judgeByExamples,
} from "./search/judges.ts";
export { type LmEvalTask, parseLmEvalTask, type ReadLmEvalOptions, readLmEval } from "./search/lm-eval.ts";
export {
  type JudgeMerge,
  type MergeCandidate,
  type OpenCandidatesOptions,
  type OpenedCandidates,
  openCandidates,
} from "./search/open-candidates.ts";
export { type MergeJudgeOptions, type OpenedJudge, openJudge } from "./search/open-judge.ts";
export { type SearchMergeOptions, searchMerge } from "./search/search-merge.ts";
export {
  type ChoiceCounts,
  type OptionCount,
  SEARCH_RECIPE_DEFAULTS,
  type SearchCandidate,
  type SearchProgress,
  type SearchRecipeOptions,
  type SearchResult,
  type SearchStop,
  searchRecipe,
} from "./search/search-recipe.ts";
export { fillSearched, valuesOfEachOption } from "./search/search-space.ts";
export { planReplacement } from "./vocabulary/plan-replacement.ts";
export { replaceVocabulary } from "./vocabulary/replace-vocabulary.ts";
export {
  REPLACE_VOCABULARY_DEFAULTS,
  type ReplacementOptions,
  type ReplacementProgress,
  type ReplaceVocabularyOptions,
  VOCABULARY_METHODS,
  type VocabularyMethod,
} from "./vocabulary/replacement-options.ts";
export type {
  ApproximatedToken,
  ReplacementPlan,
  ReplacementTensor,
  ReplaceVocabularyResult,
  TokenDistances,
} from "./vocabulary/replacement-result.ts";
