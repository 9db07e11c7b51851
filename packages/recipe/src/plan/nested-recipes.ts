import { InputError, InvariantError } from "@isthmus/core";
import { realpath } from "@isthmus/platform";
import { isNested, isRecipeFile, readRecipe } from "../read/parse-recipe.ts";
import { assertFewRecipes } from "../recipe/count-recipes.ts";
import type { StrictnessOptions } from "../recipe/problem.ts";
import { isRecipe, type ModelReference, type Recipe } from "../recipe/recipe.ts";
import { nameOfReference } from "../run/list-references.ts";
import { type CheckedRecipe, checkRecipe, groupRecipe, namedIn } from "./groups.ts";

/** Recipes that a recipe names as its models, including those within them. */
export interface NestedRecipes {
  /**
   * Returns the recipe of a reference, the same object for the same file; undefined if the reference names a
   * network.
   */
  recipeOf(reference: ModelReference): CheckedRecipe | undefined;
}

/**
 * Reads all recipes in files that a recipe names, each file once, and counts them.
 * @throws InputError if a file cannot be read or is no recipe, if a recipe contains itself, or if recipes
 *   name each other so often that their merge would not end
 */
export async function readNestedRecipes(
  recipe: CheckedRecipe,
  strictness: StrictnessOptions,
): Promise<NestedRecipes> {
  const files = new Map<string, CheckedRecipe>();
  const nestedRecipes = new Map<Recipe | string, CheckedRecipe>();
  const counts = new Map<CheckedRecipe, number>();
  await count(recipe, []);
  return {
    recipeOf(reference) {
      if (!isNested(reference)) return undefined;
      const nested = nestedRecipes.get(reference);
      if (nested === undefined)
        throw new InvariantError(`The recipe "${nameOfReference(reference)}" was not read`);
      return nested;
    },
  };

  /** Counts the recipes within a recipe; a recipe that is named twice counts twice. */
  async function count(one: CheckedRecipe, within: readonly string[]): Promise<number> {
    const earlier = counts.get(one);
    if (earlier !== undefined) return earlier;
    let total = 0;
    for (const { reference, path } of one.groups.flatMap(namedIn)) {
      const nested = await one.places.open(path, () => find(reference, within));
      if (nested === undefined) continue;
      total += 1 + (await count(nested.recipe, nested.within));
      assertFewRecipes(total, one.places, path);
    }
    counts.set(one, total);
    return total;
  }

  /** Finds the recipe of a reference, and the files that contain it. */
  async function find(reference: ModelReference, within: readonly string[]) {
    if (isRecipe(reference)) {
      const inside = nestedRecipes.get(reference) ?? groupRecipe(reference, strictness);
      nestedRecipes.set(reference, inside);
      return { recipe: inside, within };
    }
    if (typeof reference !== "string" || !isRecipeFile(reference)) return undefined;
    const path = await realpath(reference).catch(() => reference);
    if (within.includes(path)) {
      throw new InputError(`Cannot plan the recipe "${reference}" as it must not need itself: it does`, {
        input: reference,
      });
    }
    const read = files.get(path) ?? checkRecipe(await readRecipe(path, strictness), strictness);
    files.set(path, read);
    nestedRecipes.set(reference, read);
    return { recipe: read, within: [...within, path] };
  }
}
