import { keyOffset } from "@isthmus/forms";
import { type Document, isMap, type LineCounter } from "yaml";
import type { Path } from "../recipe/problem.ts";

/** Positions of the parts of a recipe in its file. */
export interface Positions {
  /** Name of the file, for messages. */
  readonly name: string;
  /** Document of the file that contains the recipe. */
  readonly document: Document;
  /** Finds the line of a value, counted from 1. */
  lineOf(path: Path): number;
}

/** Positions of recipes that were read from a text; recipes that a program made have none. */
const POSITIONS = new WeakMap<object, Positions>();

/** Remembers the positions of the parts of a recipe, and of all recipes within it. */
export function rememberRecipes(recipe: unknown, positions: Positions, at: Path = []): void {
  // Recipes of other documents of the file are known already.
  if (typeof recipe !== "object" || recipe === null || POSITIONS.has(recipe)) return;
  const isInside = !Array.isArray(recipe) && "merge_method" in recipe;
  if (at.length === 0 || isInside) POSITIONS.set(recipe, positionsInside(positions, at));
  const entries = Array.isArray(recipe) ? recipe.entries() : Object.entries(recipe);
  for (const [step, item] of entries) rememberRecipes(item, positions, [...at, step]);
}

/** Gives a changed copy of a recipe, and the recipes within it, the positions of the recipe. */
export function copyPositions(recipe: object, copy: object): void {
  const positions = POSITIONS.get(recipe);
  if (positions !== undefined) rememberRecipes(copy, positions);
}

/** Formats a place in a recipe for a message: its keys, with file and line if they are known. */
export function formatPlace(recipe: object, path: Path): string {
  const place = findDocument(recipe, path);
  const positions = POSITIONS.get(place.recipe);
  const keys = formatPath(place.path);
  if (positions === undefined) return `"${keys}"`;
  return `${positions.name}:${positions.lineOf(place.path)}: "${keys}"`;
}

/**
 * Finds the recipe around a place, in the same document of the file as the place: a recipe may contain
 * recipes from other documents.
 */
function findDocument(recipe: object, path: Path): { readonly recipe: object; readonly path: Path } {
  let [found, rest] = [{ recipe, path }, path];
  let value: unknown = recipe;
  while (rest.length > 0) {
    const [step, ...after] = rest;
    value = (value as Readonly<Record<string | number, unknown>>)[step ?? ""];
    rest = after;
    if (typeof value !== "object" || value === null) break;
    const positions = POSITIONS.get(value);
    if (positions !== undefined && positions.document !== POSITIONS.get(found.recipe)?.document)
      found = { recipe: value, path: rest };
  }
  return found;
}

/** Formats a path as in program code: `models[1].parameters.weight`. */
function formatPath(path: Path): string {
  if (path.length === 0) return "the recipe";
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
}

/** Creates the positions of a YAML document. */
export function createPositions(name: string, document: Document, lines: LineCounter): Positions {
  return { name, document, lineOf: (path) => lines.linePos(offsetOf(document, path)).line };
}

/** Creates the positions of a recipe at a path within another recipe. */
function positionsInside(positions: Positions, at: Path): Positions {
  return { ...positions, lineOf: (path) => positions.lineOf([...at, ...path]) };
}

/** Finds the offset in the text of the last key of a path, or of the nearest key around it that exists. */
function offsetOf(document: Document, path: Path): number {
  const { contents } = document;
  const start = isMap(contents) && contents.range ? contents.range[0] : 0;
  return keyOffset(document, path) ?? start;
}
