import { realpath } from "node:fs/promises";
import { InputError, InvariantError } from "@isthmus/core";
import { isRecipeFile, readRecipe } from "../read/parse-recipe.ts";
import { assertRecipe } from "../recipe/assert-recipe.ts";
import { assertFewRecipes } from "../recipe/count-recipes.ts";
import type { StrictnessOptions } from "../recipe/problem.ts";
import { isRecipe, type ModelReference, type Recipe } from "../recipe/recipe.ts";
import { listGroups } from "./groups.ts";
import { atPlace } from "./open-inputs.ts";

/** Recipes that a recipe names as its models, including those within them. */
export interface NestedRecipes {
  /**
   * Returns the recipe of a reference, the same object for the same file; undefined if the reference names a
   * network.
   */
  recipeOf(reference: ModelReference): Recipe | undefined;
}

/**
 * Reads all recipes in files that a recipe names, each file once, and counts them.
 * @throws InputError if a file cannot be read or is no recipe, if a recipe contains itself, or if recipes
 *   name each other so often that their merge would not end
 */
export async function readNestedRecipes(
  recipe: Recipe,
  strictness: StrictnessOptions,
): Promise<NestedRecipes> {
  const files = new Map<string, Recipe>();
  const byReference = new Map<string, Recipe>();
  const counts = new Map<Recipe, number>();
  await count(recipe, []);
  return {
    recipeOf(reference) {
      if (isRecipe(reference)) return reference;
      if (typeof reference !== "string" || !isRecipeFile(reference)) return undefined;
      const recipeInFile = byReference.get(reference);
      if (recipeInFile === undefined) throw new InvariantError(`The recipe "${reference}" was not read`);
      return recipeInFile;
    },
  };

  /** Counts the recipes within a recipe; a recipe that is named twice counts twice. */
  async function count(one: Recipe, within: readonly string[]): Promise<number> {
    const earlier = counts.get(one);
    if (earlier !== undefined) return earlier;
    let total = 0;
    const members = listGroups(one).flatMap((group) => [
      ...group.members,
      ...(group.base ? [group.base] : []),
    ]);
    for (const { reference, path } of members) {
      const nested = await atPlace(one, { path }, () => find(reference, within));
      if (nested === undefined) continue;
      total += 1 + (await count(nested.recipe, nested.within));
      assertFewRecipes(total, one, path);
    }
    counts.set(one, total);
    return total;
  }

  /** Finds the recipe of a reference, and the files that contain it. */
  async function find(reference: ModelReference, within: readonly string[]) {
    if (isRecipe(reference)) return { recipe: reference, within };
    if (typeof reference !== "string" || !isRecipeFile(reference)) return undefined;
    const path = await realpath(reference).catch(() => reference);
    if (within.includes(path)) {
      throw new InputError(`Cannot plan the recipe "${reference}" as it must not need itself: it does`, {
        input: reference,
      });
    }
    const read = files.get(path) ?? (await readOnce(path));
    files.set(path, read);
    byReference.set(reference, read);
    return { recipe: read, within: [...within, path] };
  }

  async function readOnce(path: string): Promise<Recipe> {
    const read = await readRecipe(path, strictness);
    assertRecipe(read, strictness);
    return read;
  }
}
