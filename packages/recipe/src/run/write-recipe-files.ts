import { InputError, isIsthmusError } from "@isthmus/core";
import { stat } from "@isthmus/platform";
import { stringify } from "yaml";
import { readModelConfig } from "../models/exact-json.ts";
import { changeConfig } from "../models/model-config.ts";
import { removeStaleCard } from "../models/stale-card.ts";
import { type WriteModelFilesOptions, writeModelFiles } from "../models/write-model-files.ts";
import { keyOf } from "../plan/groups.ts";
import { formatPlace } from "../read/positions.ts";
import { RECIPE_DTYPES, type Recipe } from "../recipe/recipe.ts";
import { assertGgufResult } from "./gguf-result.ts";
import type { OpenedRecipe } from "./open-recipe.ts";
import type { RecipeModelInput } from "./prepare-models.ts";

/** Files of a model that were written beside its weights. */
export interface RecipeFiles {
  /**
   * Names of the files, such as `config.json`; empty if the output is a single file, or no network has a
   * config.
   */
  readonly files: readonly string[];
  /** Notes for the user, for example on tokens that a network lacks. */
  readonly notes: readonly string[];
}

/** Files of a model that a recipe writes beside its weights, decided before any weights are written. */
export interface RecipeFilesPlan extends WriteModelFilesOptions {
  /** Notes for the user on the networks of the recipe. */
  readonly notes: readonly string[];
}

/** Options of {@link planRecipeFiles}. */
export interface PlanRecipeFilesOptions {
  /** Path of the weights, a file ending in `.safetensors` or `.gguf`, or a folder. @defaultValue a folder */
  readonly output?: string | undefined;
  /** The recipe as text, for the model card. @defaultValue the recipe as YAML */
  readonly text?: string | undefined;
}

/**
 * Plans the files with which a model is loaded, by the settings of the recipe: config, tokenizer, chat
 * template, model card. All such files of recipes are planned here.
 *
 * @returns undefined if the output is a single file, or the template of the recipe has no `config.json`
 * @throws InputError if the recipe makes a number of layers that the config of the base cannot count
 * @throws UsageError if the output is a GGUF file, and the networks are of another format, or adapters
 */
export async function planRecipeFiles(
  recipe: Recipe,
  { models, ...opened }: Pick<OpenedRecipe, "models" | "plan" | "adapter">,
  { output, text = stringify(recipe) }: PlanRecipeFilesOptions,
): Promise<RecipeFilesPlan | undefined> {
  if (output?.endsWith(".gguf")) assertGgufResult(opened, output);
  if (output !== undefined && /\.(safetensors|gguf)$/.test(output)) return undefined;
  const { tied, vocabulary, notes } = models;
  const { directory: base, layers, otherStacks: [part] = [] } = models.template;
  if (base === undefined) return undefined;
  if (part !== undefined) {
    throw new InputError(
      `Cannot write config.json as only the number of layers of the main part can be changed in it: the recipe gives "${part}" another number (${formatPlace(recipe, ["modules", part])}); write only weights, to a file ending in .safetensors`,
      { input: base },
    );
  }
  const named = recipe.out_dtype ?? recipe.dtype;
  const dtype = named === undefined ? undefined : RECIPE_DTYPES[named];
  const config = await readModelConfig(base);
  try {
    changeConfig(config, { dtype, tied, layers });
  } catch (error) {
    if (!isIsthmusError(error, "FormatError")) throw error;
    const place = formatPlace(recipe, [recipe.slices === undefined ? "merge_method" : "slices"]);
    throw new InputError(`${(error as Error).message} (${place})`, { input: base, cause: error });
  }
  const networks = models.inputs.flatMap((input) => describeNetwork(recipe, input));
  const { merge_method: method, chat_template: chatTemplate } = recipe;
  return { dtype, tied, layers, base, recipe: text, method, vocabulary, networks, chatTemplate, notes };
}

/**
 * Writes planned files into the folder of the merged weights. Without a plan the card and the recipe of an
 * earlier merge are removed from the folder, as they say nothing of its new weights.
 * @param output - path of the weights; nothing is written if it is a file
 */
export async function writeRecipeFiles(
  plan: RecipeFilesPlan | undefined,
  output: string,
): Promise<RecipeFiles> {
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  if (!isFolder) return { files: [], notes: [] };
  if (plan === undefined) {
    const stale = await removeStaleCard(output);
    return { files: [], notes: stale === undefined ? [] : [stale] };
  }
  const { notes, ...options } = plan;
  const written = await writeModelFiles(output, options);
  return { ...written, notes: [...notes, ...written.notes] };
}

/**
 * Finds the size of shards, in bytes: the size of the largest file of the first network with several files,
 * or no limit.
 */
export async function shardBytesOf({ models: { inputs } }: Pick<OpenedRecipe, "models">): Promise<number> {
  for (const { network } of inputs) {
    const weights = network.files.filter((file) => file.endsWith(".safetensors"));
    if (weights.length < 2) continue;
    return Math.max(...(await Promise.all(weights.map(async (file) => (await stat(file)).size))));
  }
  return Number.POSITIVE_INFINITY;
}

function describeNetwork(recipe: Recipe, { reference, name, directory }: RecipeModelInput) {
  if (directory === undefined) return [];
  const isBase = recipe.base_model !== undefined && keyOf(recipe.base_model) === keyOf(reference);
  const model = recipe.models?.find((one) => keyOf(one.model) === keyOf(reference));
  return [{ name, directory, isBase, parameters: model?.parameters ?? {} }];
}
