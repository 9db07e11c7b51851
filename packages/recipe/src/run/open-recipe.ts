import { type Checkpoint, entry } from "@isthmus/core";
import {
  type Adapter,
  type MergeMethod,
  type MergePlan,
  type MergeSource,
  needsProducts,
  openMergeProducts,
} from "@isthmus/merging";
import { findAdapters } from "../adapters/find-adapters.ts";
import { openAdapters } from "../adapters/open-adapters.ts";
import { checkRecipe } from "../plan/groups.ts";
import type { AlignInputs } from "../plan/open-inputs.ts";
import { type PlanNested, planChecked } from "../plan/plan-recipe.ts";
import type { StrictnessOptions } from "../recipe/problem.ts";
import type { ModelReference, Recipe } from "../recipe/recipe.ts";
import { openReference } from "./open-reference.ts";
import { type PreparedModels, type PrepareModelsOptions, prepareModels } from "./prepare-models.ts";
import { readMethods } from "./read-methods.ts";

/** Options of {@link openRecipe}. */
export interface OpenRecipeOptions extends StrictnessOptions {
  /** Methods by name, which `methodFiles` adds to. @defaultValue all methods of `@isthmus/merging` */
  readonly methods?: ReadonlyMap<string, MergeMethod> | undefined;
  /** Paths of JavaScript files that export further methods; their code is run. @defaultValue none */
  readonly methodFiles?: readonly string[] | undefined;
  /** Seed of methods that draw random numbers, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number | undefined;
  /** Opens the network of a reference that is not a recipe. @defaultValue files and folders are opened */
  readonly open?: ((reference: ModelReference) => Promise<Checkpoint>) | undefined;
  /**
   * URL of a module that exports `openProducts`, a function that makes products of matrices with a number of
   * threads, for methods that need them. @defaultValue products without an engine, which are slower
   */
  readonly productsModule?: string | undefined;
  /** Aligns networks that have `align`. @defaultValue recipes with `align` are refused */
  readonly align?: AlignInputs | undefined;
}

/** The plan of a recipe, and the networks that were opened for it. */
export interface OpenedRecipe {
  /** Plan of the merge, tensor by tensor. */
  readonly plan: MergePlan;
  /** Networks as they were made to fit each other, with what the files of the result need. */
  readonly models: PreparedModels;
  /**
   * Description from which worker threads make the plan; undefined if the plan depends on functions of the
   * caller.
   */
  readonly source: MergeSource | undefined;
  /** The merged adapter, if the recipe merges LoRA adapters with each other; `plan` makes its weights. */
  readonly adapter: Adapter | undefined;
  /** Whether making the plan takes long, so that worker threads should not make it again. */
  readonly isSlow: boolean;
  /** Closes the networks; the plan cannot be run afterwards. */
  close(): Promise<void>;
}

/**
 * Opens the networks of a recipe and plans its merge; relative paths start at the working folder of the
 * process.
 *
 * Language models are made to fit each other first: their vocabularies, if the recipe has a tokenizer, and
 * their output heads. A recipe whose models are all folders of LoRA adapters merges these with each other.
 * @throws InputError if a network cannot be opened, or something in the recipe is wrong
 * @throws MismatchError if tensors that are merged are missing or of other shapes, or vocabularies of other
 *   sizes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openRecipe, parseRecipe } from "@isthmus/recipe";
 *
 * const recipe = parseRecipe(`
 * merge_method: linear
 * models:
 *   - model: examples/mnist-mlp/s0.safetensors
 *   - model: examples/mnist-mlp/s1.safetensors
 * `);
 * const { plan, close } = await openRecipe(recipe); // reads headers only
 * assert.equal(plan.tensors.get("layers.0.weight")?.method?.name, "linear");
 * await close();
 * ```
 */
export async function openRecipe(recipe: Recipe, options: OpenRecipeOptions = {}): Promise<OpenedRecipe> {
  const { open = openReference, align, seed = 0, methodFiles = [] } = options;
  const methods = await readMethods(methodFiles, options.methods);
  const { productsModule, strict, onWarning } = options;
  const checked = checkRecipe(recipe, { strict, onWarning });
  const folders = options.open === undefined ? await findAdapters(checked) : undefined;
  if (folders !== undefined) {
    const { plan, adapter, close } = await openAdapters(checked, folders, { methods, seed, productsModule });
    const source = describeRecipeMerge({ recipe, methodFiles, seed }, productsModule);
    return { plan, adapter, models: NO_MODELS, source, isSlow: true, close };
  }
  const opened: Checkpoint[] = [];
  let products: MergePlan["products"];
  const close = async () => {
    await products?.release();
    for (const network of opened) await network.close();
  };
  const openAndKeep = async (reference: ModelReference) => {
    const network = await open(reference);
    opened.push(network);
    return network;
  };
  try {
    const prepared = new Map<Recipe, PreparedModels>();
    const planned = await planChecked(checked, {
      methods,
      seed,
      align,
      open: openAndKeep,
      strict,
      onWarning,
      async prepare(part, planNested) {
        const models = await prepareModels(part, {
          open: openAndKeep,
          openNested: openNestedModels(planNested, prepared),
        });
        prepared.set(part.recipe, models);
        return models.networks;
      },
    });
    const models = entry(prepared, recipe, "recipe");
    if (productsModule !== undefined && needsProducts(planned))
      products = await openMergeProducts(productsModule, 0);
    const plan = { ...planned, products };
    const isDescribed = options.open === undefined && options.methods === undefined;
    const source = isDescribed
      ? describeRecipeMerge({ recipe, methodFiles, seed }, productsModule)
      : undefined;
    return { plan, models, adapter: undefined, source, isSlow: checked.isAligned, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Returns a function that opens the recipes within a recipe, each with its prepared models.
 * @param prepared - prepared models of each planned recipe
 */
export function openNestedModels(
  planNested: PlanNested,
  prepared: ReadonlyMap<Recipe, PreparedModels>,
): PrepareModelsOptions["openNested"] {
  return async (reference) => {
    const nested = await planNested(reference);
    return nested && { network: nested.network, models: entry(prepared, nested.recipe, "recipe") };
  };
}

/** Prepared models of a recipe that merges adapters, which has no models. */
const NO_MODELS: PreparedModels = {
  networks: new Map(),
  inputs: [],
  template: { directory: undefined, layers: undefined },
  vocabulary: undefined,
  tied: undefined,
  notes: [],
  renamed: [],
};

/** A merge by a recipe as plain data. */
export interface RecipeMerge {
  /** Recipe of the merge, with paths or recipes as models. */
  readonly recipe: Recipe;
  /** Paths of JavaScript files with further methods. */
  readonly methodFiles: readonly string[];
  /** Seed of methods that draw random numbers. */
  readonly seed: number;
}

function describeRecipeMerge(merge: RecipeMerge, products: string | undefined): MergeSource {
  return { module: import.meta.url, data: merge, files: merge.methodFiles, products };
}

/**
 * Opens a merge in a worker thread, from its description as plain data.
 * @public
 */
export async function openMerge({ recipe, methodFiles, seed }: RecipeMerge): Promise<OpenedRecipe> {
  return openRecipe(recipe, { methodFiles, seed });
}
