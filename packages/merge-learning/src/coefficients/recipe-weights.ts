import { at, UsageError } from "@isthmus/core";
import type { Recipe, RecipeModel, Setting, Settings } from "@isthmus/recipe";
import { nameNetworks } from "../values-of-networks.ts";
import type { CoefficientGroup } from "./coefficient-groups.ts";

/** Weight of every network at the start if a recipe has none. @see AdaMerging (2023), section 4.1 */
const USUAL_START = 0.3;

/** Significant digits of the weights that are found, so that a recipe can be read. */
const DIGITS = 6;

/** A network of a recipe that has a weight. */
export interface WeightedModel {
  /** Position among the models of the recipe. */
  readonly index: number;
  /** Name for messages and results, which no other network has. */
  readonly name: string;
}

/**
 * Lists the networks of a recipe that have a weight: all but the base.
 * @throws UsageError if the recipe stacks layers, or merges parts apart
 */
export function listWeighted(recipe: Recipe): readonly WeightedModel[] {
  const { models = [], base_model: base } = recipe;
  if (recipe.models === undefined) {
    throw new UsageError(
      `Cannot learn weights of a recipe with ${recipe.slices === undefined ? "modules" : "slices"} as networks must be merged whole: write models`,
    );
  }
  const same = base === undefined ? undefined : JSON.stringify(base);
  const weighted = models.flatMap(({ model }, index) =>
    JSON.stringify(model) === same ? [] : [{ index, model }],
  );
  const names = nameNetworks(weighted.map(({ model }) => (typeof model === "string" ? model : undefined)));
  return weighted.map(({ index }, i): WeightedModel => ({ index, name: at(names, i, "name") }));
}

/**
 * Returns a recipe with weights for the start: `start` for every network, or the weights of the recipe, or,
 * for methods that need weights, 0.3 for every network.
 */
export function withStart(recipe: Recipe, start: number | undefined): Recipe {
  const hasWeights = [recipe, ...(recipe.models ?? [])].some(
    ({ parameters }) => parameters?.["weight"] !== undefined,
  );
  if (start === undefined && (hasWeights || recipe.merge_method === "linear")) return recipe;
  const models = recipe.models?.map((model): RecipeModel => withSettings(model, {}));
  return { ...withSettings(recipe, { weight: start ?? USUAL_START }), ...(models && { models }) };
}

/** Returns weights `[groups * models]` rounded to the digits of a recipe. */
export function roundWeights(weights: Float64Array): Float64Array {
  return weights.map((weight) => Number(weight.toPrecision(DIGITS)));
}

/** Returns a recipe with weights `[groups * models]` in place of its own. */
export function withWeights(
  recipe: Recipe,
  weighted: readonly WeightedModel[],
  { groups, weights }: { readonly groups: readonly CoefficientGroup[]; readonly weights: Float64Array },
): Recipe {
  const models = recipe.models?.map((model, index): RecipeModel => {
    const k = weighted.findIndex((one) => one.index === index);
    if (k < 0) return model;
    const values = groups.map(({ filter }, g) => ({
      ...(filter === undefined ? {} : { filter }),
      value: at(weights, g * weighted.length + k),
    }));
    const [first] = values;
    const isPlain = groups.length === 1 && first?.filter === undefined;
    return withSettings(model, { weight: isPlain ? at(values, 0).value : values });
  });
  return { ...withSettings(recipe, {}), ...(models && { models }) };
}

/** Returns a recipe, or a model of one, with other weights; without any if `added` has none. */
function withSettings<T extends { readonly parameters?: Settings }>(
  item: T,
  added: { readonly weight?: Setting },
): T {
  const { weight: _, ...rest } = item.parameters ?? {};
  const parameters = { ...rest, ...added };
  const { parameters: __, ...others } = item;
  const settings = Object.keys(parameters).length === 0 ? {} : { parameters };
  return { ...others, ...settings } as unknown as T;
}
