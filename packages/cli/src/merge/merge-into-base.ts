import { isGgufEncoding } from "@isthmus/core";
import { splitReference } from "@isthmus/recipe";
import { noteWarnings } from "../options/recipe-reading.ts";
import type { CommonOptions, Context, Outcome } from "../verb.ts";
import type { MergeOptions } from "./merge-options.ts";
import { mergeRecipe } from "./merge-recipe.ts";
import { assertFitsRecipe } from "./recipe-options.ts";

/** Checks whether a path names a model with an adapter behind it, `base+adapter`. */
export async function isBaseWithAdapter(path: string): Promise<boolean> {
  return (await splitReference(path)).lora !== undefined;
}

/**
 * Merges an adapter into the model that it changes, as a recipe with the method `passthrough` and that
 * model does.
 * @param path - the model and its adapter, `base+adapter`
 * @throws UsageError if an option is for merges of several networks
 */
export async function mergeIntoBase(
  path: string,
  { dtype, ...options }: MergeOptions & CommonOptions,
  context: Context,
): Promise<Outcome> {
  const encoding = dtype !== undefined && isGgufEncoding(dtype) ? dtype : undefined;
  const others = encoding === undefined ? options : { ...options, dtype: encoding };
  assertFitsRecipe(others);
  const type = encoding === undefined ? dtype : undefined;
  const recipe = {
    merge_method: "passthrough",
    models: [{ model: path }],
    ...(type !== undefined && { out_dtype: type }),
  };
  return mergeRecipe({ recipe, file: null, reading: noteWarnings(options, context) }, others, context);
}
