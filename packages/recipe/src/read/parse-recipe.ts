import { readTextFile } from "@isthmus/core";
import { basename } from "@isthmus/platform";
import { assertRecipe } from "../recipe/assert-recipe.ts";
import type { StrictnessOptions } from "../recipe/problem.ts";
import { isRecipe, type ModelReference, type Recipe } from "../recipe/recipe.ts";
import { joinDocuments } from "./join-documents.ts";
import { parseDocuments } from "./parse-documents.ts";
import { rememberRecipes } from "./positions.ts";

/** Options of {@link readRecipe}. */
export interface ReadRecipeOptions extends StrictnessOptions {
  /**
   * Name of the document whose network is the result, for a file with several documents.
   * @defaultValue the document without a name, otherwise the last document that no other document names
   */
  readonly document?: string | undefined;
}

/** Checks whether a path is named like a recipe file: it ends in `.yml` or `.yaml`. */
export function isRecipeFile(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/**
 * Reads a recipe from a YAML file, and checks its form; no network is opened. In a file with several
 * documents, as mergekit-multi reads it, a document may name another document as a model.
 *
 * Unknown keys are kept; {@link planRecipe} warns of them.
 * @throws InputError if the file cannot be read, or does not have the form of a recipe; the message names
 *   lines and keys
 * @throws FormatError if it is not YAML
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeFile } from "node:fs/promises";
 * import { readRecipe } from "@isthmus/recipe";
 *
 * await writeFile("recipe.yml", "merge_method: linear\nmodels: [{ model: a }, { model: b }]\n");
 * const { models } = await readRecipe("recipe.yml");
 * assert.equal(models?.length, 2);
 * ```
 */
export async function readRecipe(path: string, options: ReadRecipeOptions = {}): Promise<Recipe> {
  return parseRecipe(await readTextFile(path), basename(path), options);
}

/**
 * Parses a recipe from YAML as mergekit reads it (version 1.1 of YAML), and checks its form; later messages
 * about the recipe name its lines.
 *
 * @param name - name of the file, for messages
 * @throws InputError if the text does not have the form of a recipe; the message lists every problem with its
 *   line
 * @throws FormatError if it is not YAML
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseRecipe } from "@isthmus/recipe";
 *
 * const { models } = parseRecipe("merge_method: linear\nmodels: [{ model: a }, { model: b }]");
 * assert.deepEqual(models, [{ model: "a" }, { model: "b" }]);
 * const misspelt = "merge_method: linear\nmodles: []";
 * assert.throws(() => parseRecipe(misspelt), /recipe:2: "modles".*did you mean "models"/);
 * ```
 */
export function parseRecipe(text: string, name: string = "recipe", options: ReadRecipeOptions = {}): Recipe {
  const recipes = parseDocuments(text, name).map(({ value, positions }): Recipe => {
    rememberRecipes(value, positions);
    assertRecipe(value);
    return value;
  });
  return joinDocuments(recipes, options);
}

/** Checks whether a reference names a recipe, as an object or as a path. */
export function isNested(reference: ModelReference): reference is Recipe {
  return isRecipe(reference) || (typeof reference === "string" && isRecipeFile(reference));
}
