export { inferLayout, type LayerPlace, type LayerRun, type Layout } from "./layout/infer-layout.ts";
export { type ExplainedSource, explainPlan, type TensorExplanation } from "./plan/explain-plan.ts";
export type { AlignedInput, AlignInput, OpenOptions } from "./plan/open-inputs.ts";
export { type PlanRecipeOptions, planRecipe } from "./plan/plan-recipe.ts";
export { type AbsentTensor, type PlanSummary, summarizePlan } from "./plan/summarize-plan.ts";
export { isRecipeFile, parseRecipe, readRecipe } from "./read/parse-recipe.ts";
export { assertRecipe } from "./recipe/assert-recipe.ts";
export type {
  AlignSetting,
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
export { type CreateAlignerOptions, createAligner } from "./run/create-aligner.ts";
export { type OpenedRecipe, type OpenRecipeOptions, openRecipe } from "./run/open-recipe.ts";
export { readMethods } from "./run/read-methods.ts";
export { type RunRecipeOptions, type RunRecipeResult, runRecipe, saveRecipe } from "./run/run-recipe.ts";
export { type JsonSchema, recipeJsonSchema } from "./schema/recipe-json-schema.ts";
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
