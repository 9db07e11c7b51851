import { InputError } from "@isthmus/core";
import { formatPlace } from "../read/positions.ts";
import type { Path } from "./problem.ts";

/** Most recipes in a recipe, each counted as often as it is named: as often its tensors are computed. */
const MOST_RECIPES = 100;

/**
 * Checks how many recipes one needs: each counts one, and what it needs itself, as often as it is named.
 * @param path - where in the recipe the last of them is named
 * @throws InputError if there are too many, as of recipes that name each other twice, level by level
 */
export function assertFewRecipes(count: number, recipe: object, path: Path): void {
  if (count <= MOST_RECIPES) return;
  throw new InputError(
    `Cannot plan the recipe as it may need ${MOST_RECIPES} others, each counted as often as it is named: ${formatPlace(recipe, path)} makes them more; merge one of them first, and name its result`,
    { input: "recipe" },
  );
}
