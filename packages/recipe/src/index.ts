export { inferLayout, type LayerPlace, type LayerRun, type Layout } from "./layout/infer-layout.ts";
export type { AlignedInput, AlignInput, OpenOptions } from "./plan/open-inputs.ts";
export { type PlanRecipeOptions, planRecipe } from "./plan/plan-recipe.ts";
export { parseRecipe, readRecipe } from "./read/parse-recipe.ts";
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
