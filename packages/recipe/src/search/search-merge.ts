import type { Recipe } from "../recipe/recipe.ts";
import type { OpenRecipeOptions } from "../run/open-recipe.ts";
import { identifyRecipe } from "./identify-recipe.ts";
import { type JudgeMerge, openCandidates } from "./open-candidates.ts";
import {
  SEARCH_RECIPE_DEFAULTS,
  type SearchRecipeOptions,
  type SearchResult,
  searchRecipe,
} from "./search-recipe.ts";

/** Options of {@link searchMerge}; the seed is used for the search and for the merges. */
export interface SearchMergeOptions
  extends OpenRecipeOptions,
    Omit<SearchRecipeOptions<Recipe>, "evaluate" | "check" | "seed" | "atOnce" | "identity"> {
  /**
   * Everything that decides the score of a merge, such as the result of a judge's `identify`. A journal of a
   * search with another identity is refused. Digests of the files that are merged are added, unless `open`
   * opens them. @defaultValue no identity: scores of a journal are used even if `judge` has changed
   */
  readonly identity?: SearchRecipeOptions<Recipe>["identity"];
  /** Judges a merged network: returns its score. */
  readonly judge: JudgeMerge;
}

/**
 * Searches the numbers that a recipe marks with `{ search: [low, high] }` for the merge that is judged best.
 *
 * Networks are opened, and aligned if the recipe has `align`, once for all candidates. Nothing is written,
 * except by the judge.
 * @throws the same errors as `searchRecipe` and `openRecipe`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseRecipe, searchMerge } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * parameters: { normalize: false, weight: { search: [0, 1] } }
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 * `);
 * const { best } = await searchMerge(recipe, {
 *   async judge({ network }) {
 *     const { data } = await network.read("layers.3.bias"); // measure the merged network here
 *     return Math.abs(Number(data[0]));
 *   },
 *   evaluations: 20,
 * });
 * assert(best.values["parameters.weight"]! < 0.3);
 * ```
 */
export async function searchMerge(
  recipe: Recipe,
  options: SearchMergeOptions,
): Promise<SearchResult<Recipe>> {
  const { judge, open, align, methods, methodFiles, productsModule, ...others } = options;
  const { strict, onWarning, ...searching } = others;
  const { seed, journal, signal } = searching;
  const candidates = await openCandidates(recipe, {
    judge,
    open,
    align,
    methods,
    methodFiles,
    productsModule,
    seed,
    strict,
    onWarning,
  });
  try {
    const isOfFiles = journal !== undefined && open === undefined;
    const merged = isOfFiles ? await identifyRecipe(recipe, { methodFiles, signal }) : {};
    return await searchRecipe(recipe, {
      ...searching,
      identity: { ...merged, ...searching.identity },
      seed: seed ?? SEARCH_RECIPE_DEFAULTS.seed,
      check: (filled) => candidates.check(filled),
      evaluate: (filled, signal) => candidates.judge(filled, signal),
    });
  } finally {
    await candidates.close();
  }
}
