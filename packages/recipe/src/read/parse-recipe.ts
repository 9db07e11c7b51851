import { basename } from "node:path";
import { FormatError, readTextFile } from "@isthmus/core";
import { Lexer, LineCounter, Parser, parseDocument, type YAMLError } from "yaml";
import { assertRecipe } from "../recipe/assert-recipe.ts";
import { isRecipe, type ModelReference, type Recipe } from "../recipe/recipe.ts";
import { isMap, type Path } from "../recipe/shape.ts";
import { createPositions, type Positions, positionsInside, rememberPositions } from "./positions.ts";

/** Checks whether a path is named like a file of a recipe: it ends in `.yml` or `.yaml`. */
export function isRecipeFile(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/**
 * Reads a recipe from a YAML file, and checks its form; no network is looked at.
 * @throws InputError if it cannot be read, or is not of the form of a recipe; the message names lines and
 *   keys
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
export async function readRecipe(path: string): Promise<Recipe> {
  return parseRecipe(await readTextFile(path), basename(path));
}

/**
 * Parses a recipe from YAML as mergekit reads it (version 1.1 of YAML), and checks its form; later messages
 * about the recipe name its lines.
 *
 * @param name - of the file, for messages
 * @throws InputError if it is not of the form of a recipe; the message lists every problem with its line
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
export function parseRecipe(text: string, name = "recipe"): Recipe {
  assertShallow(text, name);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: "1.1", logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined) {
    throw notYaml(`${name}:${lines.linePos(error.pos[0]).line}: ${explainYaml(error)}`, error);
  }
  const value = dropEmpty(plainValue(() => document.toJS(), name));
  const positions = createPositions(name, document, lines);
  rememberAll(value, positions);
  if (isMap(value)) rememberPositions(value, positions);
  assertRecipe(value);
  return value;
}

function plainValue(read: () => unknown, name: string): unknown {
  try {
    return read();
  } catch (cause) {
    throw notYaml(`${name}: ${(cause as Error).message}`, cause);
  }
}

/** Says what is wrong in a text that is no YAML, without the place. */
function explainYaml({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS")
    return "it must be one document: write the recipe that makes a model in place of the model's path";
  return message.replace(/ at line \d+[\s\S]*$/, "");
}

function notYaml(problem: string, cause?: unknown): FormatError {
  return new FormatError(`Cannot read the recipe as it must be YAML: ${problem}`, { format: "yaml", cause });
}

/** Removes keys without a value, as mergekit does, except parameters, which are checked. */
function dropEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropEmpty);
  if (!isMap(value)) return value;
  const filled = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(
    filled.map(([key, item]) => [key, key === "parameters" ? item : dropEmpty(item)]),
  );
}

/** Remembers positions of a recipe and of all recipes inside it. */
function rememberAll(value: unknown, positions: Positions, at: Path = []): void {
  if (typeof value !== "object" || value === null) return;
  if (isMap(value) && isRecipe(value as unknown as ModelReference))
    rememberPositions(value, positionsInside(positions, at));
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [step, item] of entries) rememberAll(item, positions, [...at, step]);
}

/**
 * Most nesting of a recipe, in places on the stack of the parser, which takes one or two a level. What
 * follows the parser goes down by recursion, so that deeper texts could end the process.
 */
const MOST_PLACES = 256;

function assertShallow(text: string, name: string): void {
  const parser = new Parser();
  let line = 1;
  for (const lexeme of new Lexer().lex(text)) {
    // What is complete is of no use here, but the parser goes on only if it is taken.
    for (const _ of parser.next(lexeme));
    line += lexeme.split("\n").length - 1;
    if (parser.stack.length > MOST_PLACES)
      throw notYaml(`${name}:${line}: it is nested deeper than ${MOST_PLACES / 2} levels`);
  }
}
