import { at } from "@isthmus/core";
import { MERGE_METHODS } from "@isthmus/merging";
import { stringify } from "yaml";
import type { Recipe } from "../../recipe/recipe.ts";
import type { NetworkComparison } from "../comparison.ts";
import type { MergeAdvice } from "./merge-advice.ts";

/** Options of {@link recipeOfAdvice}. */
export interface AdvisedRecipeOptions {
  /** File of the architecture, by which networks are aligned. @defaultValue the config.json beside them */
  readonly graph?: string | undefined;
}

/**
 * Makes the recipe of an advice, which `runRecipe` takes.
 * @returns null if the advice is not to merge
 */
export function recipeOfAdvice(
  { networks: traits }: NetworkComparison,
  { method, parameters, align, base, networks }: MergeAdvice,
  { graph }: AdvisedRecipeOptions = {},
): Recipe | null {
  if (method === null) return null;
  const sourceOf = (position: number) => at(traits, position, "network").source;
  const setting = graph === undefined ? true : { graph };
  const takesWeights = MERGE_METHODS.get(method)?.parameters["weight"] !== undefined;
  return {
    merge_method: method,
    ...(base === null ? {} : { base_model: sourceOf(base) }),
    models: networks.map((position, i) => ({
      model: sourceOf(position),
      ...(align && i > 0 ? { align: setting } : {}),
      ...(takesWeights ? { parameters: { weight: 1 } } : {}),
    })),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  };
}

/**
 * Formats the recipe of an advice as YAML, with the reason as a comment, ready for `isthmus merge`.
 * @returns null if the advice is not to merge
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { adviseMerge, compareNetworks, formatAdvisedRecipe } from "@isthmus/recipe";
 *
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const comparison = await compareNetworks([a, b]);
 * const graph = "examples/mnist-mlp/graph.onnx";
 * const text = formatAdvisedRecipe(comparison, adviseMerge(comparison), { graph });
 * assert.match(text ?? "", /^# strangers: .*\nmerge_method: linear\n/);
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export function formatAdvisedRecipe(
  comparison: NetworkComparison,
  advice: MergeAdvice,
  options: AdvisedRecipeOptions = {},
): string | null {
  const recipe = recipeOfAdvice(comparison, advice, options);
  return recipe === null ? null : `# ${advice.rule}: ${advice.reason}\n${stringify(recipe)}`;
}
