import { stat } from "node:fs/promises";
import { InputError, isIsthmusError } from "@isthmus/core";
import { stringify } from "yaml";
import { readModelConfig } from "../models/exact-json.ts";
import { type ConfigChanges, changeConfig } from "../models/model-config.ts";
import { writeModelFiles } from "../models/write-model-files.ts";
import { keyOf } from "../plan/groups.ts";
import { formatPlace } from "../read/positions.ts";
import { RECIPE_DTYPES, type Recipe } from "../recipe/recipe.ts";
import type { OpenedRecipe } from "./open-recipe.ts";
import type { PreparedModels, RecipeModelInput } from "./prepare-models.ts";

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

/**
 * Writes the files with which a model is loaded into the folder of its merged weights, by the settings of the
 * recipe: config, tokenizer, chat template, model card. All such files of recipes are written here.
 *
 * @param output - path of the weights; nothing is written if it is a file, or if the template has no
 *   `config.json`
 */
export async function writeRecipeFiles(
  recipe: Recipe,
  { models }: Pick<OpenedRecipe, "models">,
  output: string,
  { text = stringify(recipe) }: { readonly text?: string | undefined },
): Promise<RecipeFiles> {
  const base = models.template.directory;
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  if (base === undefined || !isFolder) return { files: [], notes: [] };
  const written = await writeModelFiles(output, {
    ...configChangesOf(recipe, models),
    base,
    recipe: text,
    method: recipe.merge_method,
    vocabulary: models.vocabulary,
    networks: models.inputs.flatMap((input) => describeNetwork(recipe, input)),
    chatTemplate: recipe.chat_template,
  });
  return { ...written, notes: [...models.notes, ...written.notes] };
}

/**
 * Checks that the config of the result can be written, before any weights are written.
 * @throws InputError if the recipe makes a number of layers that the config of the base cannot count
 */
export async function assertRecipeFiles(
  recipe: Recipe,
  { models }: Pick<OpenedRecipe, "models">,
): Promise<void> {
  const { directory, otherStacks: [part] = [] } = models.template;
  if (directory === undefined) return;
  if (part !== undefined) {
    throw new InputError(
      `Cannot write config.json as only the number of layers of the main part can be changed in it: the recipe gives "${part}" another number (${formatPlace(recipe, ["modules", part])}); write only weights, to a file ending in .safetensors`,
      { input: directory },
    );
  }
  const config = await readModelConfig(directory);
  try {
    changeConfig(config, configChangesOf(recipe, models));
  } catch (error) {
    if (!isIsthmusError(error, "FormatError")) throw error;
    const place = formatPlace(recipe, [recipe.slices === undefined ? "merge_method" : "slices"]);
    throw new InputError(`${(error as Error).message} (${place})`, { input: directory, cause: error });
  }
}

function configChangesOf(
  { out_dtype: output, dtype }: Recipe,
  { tied, template }: PreparedModels,
): Pick<ConfigChanges, "dtype" | "tied" | "layers"> {
  const named = output ?? dtype;
  return { dtype: named === undefined ? undefined : RECIPE_DTYPES[named], tied, layers: template.layers };
}

function describeNetwork(recipe: Recipe, { reference, name, directory }: RecipeModelInput) {
  if (directory === undefined) return [];
  const isBase = recipe.base_model !== undefined && keyOf(recipe.base_model) === keyOf(reference);
  const model = recipe.models?.find((one) => keyOf(one.model) === keyOf(reference));
  return [{ name, directory, isBase, parameters: model?.parameters ?? {} }];
}
