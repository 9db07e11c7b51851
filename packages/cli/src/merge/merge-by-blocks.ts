import { UsageError } from "@isthmus/core";
import type { CommonOptions, Context, Outcome } from "../verb.ts";
import { mergeMadeRecipe } from "./merge-made-recipe.ts";
import type { MergeOptions } from "./merge-options.ts";

/**
 * Merges two diffusion models with a share of the second for each block, as a recipe with the method
 * `task_arithmetic` and the first as base does.
 * @throws UsageError if there are not two models, or an option is none of recipes
 */
export async function mergeByBlocks(
  paths: readonly string[],
  { blocks, ...options }: MergeOptions & CommonOptions,
  context: Context,
): Promise<Outcome> {
  const [base, model, ...others] = paths;
  if (blocks === undefined || base === undefined || model === undefined || others.length > 0) {
    throw new UsageError(
      `Cannot merge with --blocks as there must be two checkpoints: got ${paths.length}; a recipe gives several models values by blocks`,
    );
  }
  const parameters = { weight: blocks };
  const recipe = { merge_method: "task_arithmetic", base_model: base, models: [{ model }], parameters };
  return mergeMadeRecipe(recipe, options, context);
}
