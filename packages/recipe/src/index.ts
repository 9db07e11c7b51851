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
