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

/** Formats the recipe of an advice as YAML, with the reason as a comment; null if the advice is not to merge. */
export function formatAdvisedRecipe(
  comparison: NetworkComparison,
  advice: MergeAdvice,
  options: AdvisedRecipeOptions = {},
): string | null {
  const recipe = recipeOfAdvice(comparison, advice, options);
  return recipe === null ? null : `# ${advice.rule}: ${advice.reason}\n${stringify(recipe)}`;
}
