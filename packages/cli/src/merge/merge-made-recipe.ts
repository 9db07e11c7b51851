import { isGgufEncoding } from "@isthmus/core";
import type { Recipe } from "@isthmus/recipe";
import { noteWarnings } from "../options/recipe-reading.ts";
import type { CommonOptions, Context, Outcome } from "../verb.ts";
import type { MergeOptions } from "./merge-options.ts";
import { mergeRecipe } from "./merge-recipe.ts";
import { assertFitsRecipe } from "./recipe-options.ts";

/**
 * Merges by a recipe that options stand for.
 * @throws UsageError if another option says what the recipe says
 */
export async function mergeMadeRecipe(
  made: Recipe,
  { dtype, ...options }: MergeOptions & CommonOptions,
  context: Context,
): Promise<Outcome> {
  const encoding = dtype !== undefined && isGgufEncoding(dtype) ? dtype : undefined;
  const others = encoding === undefined ? options : { ...options, dtype: encoding };
  assertFitsRecipe(others);
  const type = encoding === undefined ? dtype : undefined;
  const recipe = { ...made, ...(type !== undefined && { out_dtype: type }) };
  return mergeRecipe({ recipe, file: null, reading: noteWarnings(options, context) }, others, context);
}
