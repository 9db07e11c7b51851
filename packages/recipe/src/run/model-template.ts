import type { Checkpoint } from "@isthmus/core";
import { inferLayout } from "../layout/infer-layout.ts";
import { findModule, inferModules, type Modules } from "../layout/modules.ts";
import type { ConfigLayers } from "../models/model-config.ts";
import type { Recipe, RecipeSlice } from "../recipe/recipe.ts";

/** The model whose files the result of a recipe has. */
export interface ModelTemplate {
  /** Directory with the `config.json` of the model; undefined if there is none. */
  readonly directory: string | undefined;
  /** Layers of the result; undefined if the result has all layers of the template in their order. */
  readonly layers: ConfigLayers | undefined;
  /** Names of parts, other than the main part, whose number of layers changes. @defaultValue none */
  readonly otherStacks?: readonly string[];
}

/** Opened network whose files the result has. */
interface TemplateInput {
  /** Directory with its `config.json`; undefined if there is none. */
  readonly directory: string | undefined;
  readonly network: Checkpoint;
  /** Template of the recipe that makes the network; undefined if it is a file or folder. */
  readonly nested: { readonly template: ModelTemplate } | undefined;
}

/**
 * Describes which layers of the template the result has. If the template is the result of a recipe that
 * stacks layers, they are traced through that recipe.
 */
export function describeTemplate(
  recipe: Recipe,
  { directory, network, nested }: TemplateInput,
): ModelTemplate {
  const inside = nested?.template.layers;
  if (recipe.slices === undefined && recipe.modules === undefined) return { directory, layers: inside };
  const modules = inferModules(inferLayout(network), network.tensors.keys());
  const [run] = modules.runsOf(modules.main);
  const { slices, otherStacks } = slicesOf(recipe, modules);
  if (slices === undefined) return { directory, layers: inside, otherStacks };
  const layers = layersOf(slices);
  return {
    directory,
    otherStacks,
    layers: {
      key: recipe.num_layers_config_key ?? inside?.key,
      // A layer that the template does not have is refused when its config is changed.
      layers: inside === undefined ? layers : layers.map((layer) => inside.layers[layer] ?? layer),
      count: inside === undefined ? run?.count : inside.count,
    },
  };
}

/**
 * Finds the slices from which the layers of the main part are stacked, which the recipe or the part lists.
 * Also finds the names of other parts whose number of layers changes, which the config counts in other
 * places.
 */
function slicesOf(
  recipe: Recipe,
  modules: Modules,
): { readonly slices: readonly RecipeSlice[] | undefined; readonly otherStacks: readonly string[] } {
  const stacked = Object.entries(recipe.modules ?? {}).flatMap(([name, { slices }]) => {
    const sought = findModule(name, modules);
    return slices === undefined || "problem" in sought ? [] : [{ name, slices, module: sought.module }];
  });
  const otherStacks = stacked.filter(({ module, slices }) => {
    const count = modules.runsOf(module).reduce((sum, run) => sum + run.count, 0);
    return module !== modules.main && layersOf(slices).length !== count;
  });
  return {
    slices: recipe.slices ?? stacked.find(({ module }) => module === modules.main)?.slices,
    otherStacks: otherStacks.map(({ name }) => name),
  };
}

/** Lists for each layer of the result the layer of the base whose settings in the config it takes. */
function layersOf(slices: readonly RecipeSlice[]): readonly number[] {
  return slices.flatMap(({ sources: [first] }) => {
    if (first === undefined) return [];
    const [begin, end] = first.layer_range;
    return Array.from({ length: end - begin }, (_, i) => begin + i);
  });
}
