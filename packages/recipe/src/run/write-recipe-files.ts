import { stat } from "node:fs/promises";
import { InvariantError } from "@isthmus/core";
import { stringify } from "yaml";
import { writeModelFiles } from "../models/write-model-files.ts";
import { keyOf } from "../plan/groups.ts";
import { isRecipeFile, readRecipe } from "../read/parse-recipe.ts";
import { isRecipe, type ModelReference, RECIPE_DTYPES, type Recipe } from "../recipe/recipe.ts";
import { listReferences } from "./list-references.ts";
import type { OpenedRecipe } from "./open-recipe.ts";
import { directoryOf, type RecipeModelInput } from "./prepare-models.ts";

/** Files of a model that were written beside its weights. */
export interface RecipeFiles {
  /** Names, such as `config.json`; none where weights are one file, or the networks are no models. */
  readonly files: readonly string[];
  /** What people should look at, such as tokens that got a row made of others. */
  readonly notes: readonly string[];
}

/**
 * Writes what a model is loaded with into the folder of its merged weights, as the recipe says: config,
 * tokenizer, chat template, model card. This is the one place where recipes do.
 *
 * @param output - the weights; nothing is written if they are one file, or if no network has a `config.json`
 */
export async function writeRecipeFiles(
  recipe: Recipe,
  { models: { inputs, vocabulary, tied, notes } }: Pick<OpenedRecipe, "models">,
  output: string,
  { text = stringify(recipe) }: { readonly text?: string | undefined },
): Promise<RecipeFiles> {
  const template = await templateOf(recipe);
  const base = await directoryOf(template);
  const isFolder = (await stat(output).catch(() => undefined))?.isDirectory() ?? false;
  if (base === undefined || !isFolder) return { files: [], notes: [] };
  const dtype = recipe.out_dtype ?? recipe.dtype;
  const written = await writeModelFiles(output, {
    ...{ base, recipe: text, method: recipe.merge_method, vocabulary, tied },
    networks: inputs.flatMap((input) => describeNetwork(recipe, input)),
    dtype: dtype === undefined ? undefined : RECIPE_DTYPES[dtype],
    layers: layersOf(recipe),
    chatTemplate: recipe.chat_template,
  });
  return { ...written, notes: [...notes, ...written.notes] };
}

function describeNetwork(recipe: Recipe, { reference, name, directory }: RecipeModelInput) {
  if (directory === undefined) return [];
  const isBase = recipe.base_model !== undefined && keyOf(recipe.base_model) === keyOf(reference);
  const model = recipe.models?.find((one) => keyOf(one.model) === keyOf(reference));
  return [{ name, directory, isBase, parameters: model?.parameters ?? {} }];
}

/**
 * Lists for each layer of the result the layer whose place in the config it takes; undefined for whole
 * networks.
 */
function layersOf({ slices }: Recipe): readonly number[] | undefined {
  return slices?.flatMap(({ sources: [first] }) => {
    if (first === undefined) return [];
    const [begin, end] = first.layer_range;
    return Array.from({ length: end - begin }, (_, i) => begin + i);
  });
}

/** Returns the network whose files the result has: the base, or the first one; of a recipe, its own. */
async function templateOf(recipe: Recipe): Promise<Exclude<ModelReference, Recipe>> {
  const reference = recipe.base_model ?? listReferences(recipe)[0]?.reference;
  if (reference === undefined) throw new InvariantError("No network in a recipe that was checked");
  if (isRecipe(reference)) return templateOf(reference);
  const isFile = typeof reference === "string" && isRecipeFile(reference);
  return isFile ? templateOf(await readRecipe(reference)) : reference;
}
