import { InputError, readTextFile, UsageError } from "@isthmus/core";
import { findDeepLine } from "@isthmus/forms";
import { join, stat } from "@isthmus/platform";
import { parse, stringify } from "yaml";
import { listGroups } from "../plan/groups.ts";
import { readRecipe } from "../read/parse-recipe.ts";
import { assertRecipe } from "../recipe/assert-recipe.ts";
import { isRecipe, type Recipe } from "../recipe/recipe.ts";
import { listReferences, nameOfReference } from "../run/list-references.ts";
import { readExactJson } from "./exact-json.ts";
import { isSameRecipe, readMakingRecord } from "./making-record.ts";
import { type CardNetwork, MADE_WITH } from "./model-card.ts";
import { isRecord } from "./model-parts.ts";

/** Description of the making of a folder that is published, as the folder itself gives it. */
export interface FolderOrigin {
  /** The model card in the folder; undefined if it has none. */
  readonly written: string | undefined;
  /** The recipe as text, in YAML; undefined if the model was made by none. */
  readonly recipe: string | undefined;
  /** Name of the merge method; undefined if no recipe names one. */
  readonly method: string | undefined;
  /** Networks or adapters that were merged; empty if the model is no merge. */
  readonly networks: readonly CardNetwork[];
  /** Name of the verb of Isthmus that made the weights; undefined if another program did. */
  readonly verb: string | undefined;
  /** Kind of model in the folder: an adapter, a model with a config of transformers, or other weights. */
  readonly kind: "adapter" | "transformers" | "weights";
  /** Name of the network that an adapter changes, as its settings have it; undefined for other models. */
  readonly base: string | undefined;
}

/**
 * Reads what a folder says of the making of its model: its card, its recipe, the record in its weights, and
 * the settings of an adapter.
 * @throws UsageError if the recipe in the folder is not the one that made its weights
 */
export async function readFolderOrigin(folder: string): Promise<FolderOrigin> {
  const place = join(folder, "recipe.yml");
  const written = await textOf(join(folder, "README.md"));
  const text = await textOf(place);
  const record = await readMakingRecord(folder);
  const named = text === undefined ? undefined : await readRecipe(place);
  const inCard = recipeInCard(written);
  // Weights without a record may be another program's, whose recipe a user has put there.
  if (inCard !== undefined || record?.["verb"] !== undefined)
    assertOfWeights(folder, { text: text ?? inCard, named, record });
  const made = named ?? (written === undefined ? recipeIn(record) : undefined);
  const settings = await readExactJson(join(folder, "adapter_config.json"));
  const base = settings?.["base_model_name_or_path"];
  const hasConfig = (await textOf(join(folder, "config.json"))) !== undefined;
  const verb = record?.["verb"];
  return {
    written,
    recipe: text ?? (made && stringify(made)),
    method: made?.merge_method,
    networks: made === undefined ? networksIn(record) : listNames(made).map((name) => ({ name })),
    verb: typeof verb === "string" ? verb : undefined,
    kind: settings !== undefined ? "adapter" : hasConfig ? "transformers" : "weights",
    base: typeof base === "string" ? base : undefined,
  };
}

/**
 * Checks that a recipe, which stands in a file of the folder or in its card, made the weights of the folder,
 * if their metadata say what made them.
 * @param text - the recipe in YAML; undefined if the folder has none
 * @param named - the same recipe, read as mergekit reads YAML, in which some words mean other values
 * @throws UsageError if another recipe, or no recipe, made the weights
 */
function assertOfWeights(
  folder: string,
  {
    text,
    named,
    record,
  }: {
    readonly text: string | undefined;
    readonly named: Recipe | undefined;
    readonly record: Readonly<Record<string, unknown>> | undefined;
  },
): void {
  if (text === undefined || record === undefined) return;
  const recorded = record["recipe"];
  const isMade = [named, parseYaml(text)].some((recipe) => isSameRecipe(recipe, recorded));
  if (isRecord(recorded) && isMade) return;
  const made = isRecord(recorded) ? "another recipe" : "no recipe";
  throw new UsageError(
    `Cannot make the model card of "${folder}" as its recipe must be the one that made its weights: their metadata name ${made}; remove README.md and recipe.yml of the earlier merge from the folder, or merge again`,
  );
}

/** Returns the recipe that the card of a merge shows; undefined if the card is of something else. */
function recipeInCard(card: string | undefined): string | undefined {
  if (card?.includes(MADE_WITH) !== true) return undefined;
  const [, , text] = /\n## Recipe\n\n(`{3,})yaml\n([\s\S]*?)\n\1\n/.exec(card) ?? [];
  return text;
}

/** Parses YAML; undefined if the text is none, or holds too many aliases. */
function parseYaml(text: string): unknown {
  try {
    return findDeepLine(text) === undefined ? parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the recipe in a record; undefined if the record has none, or has one that cannot be read. */
function recipeIn(record: Readonly<Record<string, unknown>> | undefined): Recipe | undefined {
  const recipe = record?.["recipe"];
  try {
    assertRecipe(recipe);
    return recipe;
  } catch {
    return undefined;
  }
}

/** Lists the networks in the record of a merge without a recipe, with the weight of each. */
function networksIn(record: Readonly<Record<string, unknown>> | undefined): readonly CardNetwork[] {
  const { verb, inputs, weights } = record ?? {};
  if (verb !== "merge" || !Array.isArray(inputs)) return [];
  return inputs.flatMap((name: unknown, i) => {
    const weight: unknown = Array.isArray(weights) ? weights[i] : undefined;
    if (typeof name !== "string") return [];
    return [{ name, ...(typeof weight === "number" && { parameters: { weight } }) }];
  });
}

/** Lists the names of the networks of a recipe, and of the recipes within it. */
function listNames(recipe: Recipe): readonly string[] {
  const names = listReferences(listGroups(recipe)).flatMap(({ reference }) =>
    isRecipe(reference) ? listNames(reference) : [nameOfReference(reference)],
  );
  return [...new Set(names)];
}

async function textOf(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  if (stats.isFile()) return readTextFile(path);
  throw new InputError(`Cannot read "${path}" as it must be a file: it is a folder, or something else`, {
    input: path,
  });
}
