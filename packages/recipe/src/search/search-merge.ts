import type { Checkpoint } from "@isthmus/core";
import { type MergePlan, mergeByPlan, openMergeProducts } from "@isthmus/merging";
import { keyOf } from "../plan/groups.ts";
import { rememberAlignments } from "../plan/open-inputs.ts";
import { planRecipe } from "../plan/plan-recipe.ts";
import type { ModelReference, Recipe } from "../recipe/recipe.ts";
import type { OpenRecipeOptions } from "../run/open-recipe.ts";
import { openReference } from "../run/open-reference.ts";
import { type PreparedModels, prepareModels } from "../run/prepare-models.ts";
import { readMethods } from "../run/read-methods.ts";
import { type SearchRecipeOptions, type SearchResult, searchRecipe } from "./search-recipe.ts";

/** A merge that a search tries. */
export interface MergeCandidate {
  /** The recipe with numbers in place of its ranges. */
  readonly recipe: Recipe;
  readonly plan: MergePlan;
  readonly models: PreparedModels;
  /** The merged network, computed as it is read. */
  readonly network: Checkpoint;
}

/** Returns the score of a merged network; NaN counts as the worst. */
export type JudgeMerge = (candidate: MergeCandidate, signal: AbortSignal | undefined) => Promise<number>;

/** Options of {@link searchMerge}; the seed is that of the search and of the merges. */
export interface SearchMergeOptions
  extends OpenRecipeOptions,
    Omit<SearchRecipeOptions<Recipe>, "evaluate" | "seed"> {
  readonly judge: JudgeMerge;
}

/**
 * Searches the numbers that a recipe marks with `{ search: [low, high] }` for the merge that is judged best.
 *
 * Networks are opened, and aligned if the recipe asks for it, once for all candidates; nothing is written
 * unless the judge does.
 * @throws what `searchRecipe` and `openRecipe` throw
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
  const {
    judge,
    open = openReference,
    align,
    methods: some,
    methodFiles = [],
    seed = 0,
    ...search
  } = options;
  const methods = await readMethods(methodFiles, some);
  const opened: Checkpoint[] = [];
  const { productsModule, ...searching } = search;
  const products = productsModule === undefined ? undefined : await openMergeProducts(productsModule, 0);
  const openAndKeep = async (reference: ModelReference) => {
    const network = await open(reference);
    opened.push(network);
    return network;
  };
  try {
    const models = await prepareModels(recipe, openAndKeep);
    const openOnce = remember(openAndKeep, keyOf);
    const planning = { methods, seed, open: openOnce, align: align && rememberAlignments(align) };
    return await searchRecipe(recipe, {
      ...{ ...searching, seed },
      async evaluate(filled, signal) {
        const prepare = async (part: Recipe) =>
          part === filled ? models.networks : (await prepareModels(part, openOnce)).networks;
        const plan = { ...(await planRecipe(filled, { ...planning, prepare })), products };
        return judge({ recipe: filled, plan, models, network: mergeByPlan(plan) }, signal);
      },
    });
  } finally {
    await products?.release();
    for (const network of opened) await network.close();
  }
}

/** Calls a function once for arguments of the same key. */
function remember<A extends readonly unknown[], T>(
  work: (...parts: A) => Promise<T>,
  key: (...parts: A) => string,
): (...parts: A) => Promise<T> {
  const results = new Map<string, Promise<T>>();
  return (...parts) => {
    const result = results.get(key(...parts)) ?? work(...parts);
    results.set(key(...parts), result);
    return result;
  };
}
