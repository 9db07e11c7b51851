import { closestName } from "@isthmus/core";
import { placesOf, type RecipePlaces } from "./places.ts";
import type { Path, Problem, StrictnessOptions } from "./problem.ts";
import type { Recipe } from "./recipe.ts";
import { RECIPE } from "./recipe-shape.ts";
import { findProblems, isMap } from "./shape.ts";

/**
 * Checks the form of a recipe: keys, types, and combinations of keys. Unknown keys are warnings, unless they
 * resemble a known key.
 * @throws InputError if the form is wrong; the message lists every problem
 */
export function assertRecipe(value: unknown, options: StrictnessOptions = {}): asserts value is Recipe {
  assertForm(value, placesOf(isMap(value) ? value : {}, options));
}

/** Checks the form of a recipe whose places are known, see {@link assertRecipe}. */
export function assertForm(value: unknown, places: RecipePlaces): void {
  const problems = [...findProblems(RECIPE, value), ...findContradictions(value, [])];
  places.reject("Cannot read the recipe as its form must be right", problems);
}

type Values = Readonly<Record<string, unknown>>;

/** Lists keys that exclude each other, in a recipe and the recipes within it. */
function findContradictions(value: unknown, path: Path): readonly Problem[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => findContradictions(item, [...path, i]));
  if (!isMap(value)) return [];
  const inside = Object.entries(value).flatMap(([key, item]) => findContradictions(item, [...path, key]));
  if (path.at(-2) === "modules") return [...findParts(value, path, ["models", "slices"]), ...inside];
  if (path.at(-2) === "slices") return [...findParts(value, path, ["sources"]), ...inside];
  // A source or a model with a stray "merge_method" is no recipe.
  if (path.length > 0 && (!("merge_method" in value) || "model" in value)) return inside;
  if ("experts" in value && !("merge_method" in value))
    return [{ path: ["experts"], text: "belong to a mixture of experts: make it by isthmus moe" }];
  return [
    ...findParts(value, path, ["models", "slices", "modules"]),
    ...findTokenizers(value, path),
    ...inside,
  ];
}

function findParts(value: Values, path: Path, keys: readonly string[]): readonly Problem[] {
  const present = keys.filter((key) => value[key] !== undefined);
  const [first, second] = present;
  const all = keys.map((key) => `"${key}"`).join(" or ");
  // A key that is misspelt may be the one that is missing; there is a message on it already.
  const isMisspelt = Object.keys(value).some((key) => closestName(key, keys) !== undefined);
  if (first === undefined && isMisspelt) return [];
  if (first === undefined && keys.length === 1) return [];
  if (first === undefined) return [{ path, text: `must have networks: write ${all}` }];
  if (second !== undefined)
    return [{ path: [...path, second], text: `must not stand beside "${first}": write only one of ${all}` }];
  const parts = value[first];
  const isEmpty = Array.isArray(parts) ? parts.length === 0 : isMap(parts) && Object.keys(parts).length === 0;
  return isEmpty ? [{ path: [...path, first], text: "must not be empty" }] : [];
}

function findTokenizers({ tokenizer, tokenizer_source: source }: Values, path: Path): readonly Problem[] {
  if (tokenizer === undefined || source === undefined) return [];
  const text = 'must not stand beside "tokenizer": write the source there';
  return [{ path: [...path, "tokenizer_source"], text }];
}
