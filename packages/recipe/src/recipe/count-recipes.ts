import { InputError } from "@isthmus/core";
import type { RecipePlaces } from "./places.ts";
import type { Path } from "./problem.ts";

/**
 * Largest number of recipes within a recipe. A recipe that is named twice counts twice, because its tensors
 * are computed twice.
 */
const MOST_RECIPES = 100;

/**
 * Checks the number of recipes within a recipe. A recipe that is named several times counts each time, and
 * the recipes within it count each time, too.
 * @param path - place in the recipe that names the last of them
 * @throws InputError if there are too many, for example if each recipe names the next one twice, level by
 *   level
 */
export function assertFewRecipes(count: number, places: RecipePlaces, path: Path): void {
  if (count <= MOST_RECIPES) return;
  throw new InputError(
    `Cannot plan the recipe as it may need ${MOST_RECIPES} others, each counted as often as it is named: ${places.format(path)} makes them more; merge one of them first, and name its result`,
    { input: "recipe" },
  );
}
