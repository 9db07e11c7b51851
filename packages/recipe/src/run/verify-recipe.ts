import { InputError } from "@isthmus/core";
import {
  type MergeProvenance,
  type VerifyMergeOptions,
  type VerifyMergeResult,
  verifyMerge,
} from "@isthmus/merging";
import { assertRecipe } from "../recipe/assert-recipe.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { type OpenRecipeOptions, openRecipe } from "./open-recipe.ts";

/** Options of {@link verifyRecipe}. */
export interface VerifyRecipeOptions extends Omit<OpenRecipeOptions, "seed">, VerifyMergeOptions {}

/**
 * Makes a merge by a recipe again, as the metadata of its result say, and compares it with the file tensor by
 * tensor, bit for bit; writes nothing. Networks are looked up where the recipe says, from the folder the
 * process runs in.
 *
 * @param path - a file or folder that `runRecipe` wrote
 * @throws FormatError if the metadata do not say how it was merged
 * @throws InputError if it was not merged by a recipe, or a network cannot be opened
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseRecipe, runRecipe, verifyRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: slerp
 * parameters: { t: 0.5 }
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 * `);
 * await runRecipe(recipe, "verified.safetensors", { overwrite: true });
 * const { ok, same } = await verifyRecipe("verified.safetensors");
 * assert(ok && same === 8);
 * ```
 */
export async function verifyRecipe(
  path: string,
  options: VerifyRecipeOptions = {},
): Promise<VerifyMergeResult> {
  const { signal, onProgress, ...opening } = options;
  return verifyMerge(
    path,
    async (provenance) => openRecipe(recipeOf(path, provenance), { ...opening, seed: provenance.seed }),
    { signal, onProgress },
  );
}

function recipeOf(path: string, { recipe }: MergeProvenance): Recipe {
  if (typeof recipe === "object" && recipe !== null && "merge_method" in recipe) {
    assertRecipe(recipe);
    return recipe;
  }
  throw new InputError(`Cannot verify "${path}" as it must have been merged by a recipe: it stores none`, {
    input: path,
  });
}
