import { splitReference } from "@isthmus/recipe";
import type { CommonOptions, Context, Outcome } from "../verb.ts";
import { mergeMadeRecipe } from "./merge-made-recipe.ts";
import type { MergeOptions } from "./merge-options.ts";

/** Checks whether a path names a model with one or more adapters behind it, `base+adapter`. */
export async function isBaseWithAdapter(path: string): Promise<boolean> {
  return (await splitReference(path)).adapters.length > 0;
}

/**
 * Merges adapters into the model that they change, as a recipe with the method `passthrough` and that
 * model does.
 * @param path - the model and its adapters, `base+adapter`
 * @throws UsageError if an option is for merges of several networks
 */
export async function mergeIntoBase(
  path: string,
  options: MergeOptions & CommonOptions,
  context: Context,
): Promise<Outcome> {
  return mergeMadeRecipe({ merge_method: "passthrough", models: [{ model: path }] }, options, context);
}
