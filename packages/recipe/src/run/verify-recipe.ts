import { InputError } from "@isthmus/core";
import {
  type MergeProvenance,
  type OpenedMerge,
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
 * Repeats a merge from the recipe in the metadata of its result, and compares the tensors with the file bit
 * for bit; writes nothing. Relative paths of networks start at the working folder of the process.
 *
 * @param path - path of a file or folder that `runRecipe` wrote
 * @throws FormatError if the metadata do not describe a merge
 * @throws InputError if the merge was not made by a recipe, or a network cannot be opened
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
  return verifyMerge(path, (provenance) => openRecordedRecipe(path, provenance, opening), {
    signal,
    onProgress,
  });
}

/**
 * Opens the merge by a recipe that a record describes.
 * @throws InputError if the record has no recipe of a merge, or a network cannot be opened
 */
export async function openRecordedRecipe(
  path: string,
  provenance: MergeProvenance,
  options: Omit<OpenRecipeOptions, "seed">,
): Promise<OpenedMerge> {
  return openRecipe(recipeOf(path, provenance), { ...options, seed: provenance.seed });
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
