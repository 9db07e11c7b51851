import type { Path } from "./problem.ts";
import { isMap } from "./shape.ts";

/** Options of which `searchRecipe` chooses one, written in place of a value of a recipe. */
export interface ChoiceMark<T> {
  /** Options, at least two. In a list, the text `none` leaves the item out. */
  readonly choose: readonly T[];
}

/** Option of an item of a list that leaves the item out. */
export const LEFT_OUT = "none";

/** Checks whether a value of a recipe is a choice. */
export function isChoice(value: unknown): value is ChoiceMark<unknown> {
  return isMap(value) && Array.isArray(value["choose"]);
}

/** Finds the first choice of a recipe, which a search has yet to make; undefined if it has none. */
export function findChoice(value: unknown, path: Path = []): Path | undefined {
  if (isChoice(value)) return path;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const inside = findChoice(item, [...path, Array.isArray(value) ? Number(key) : key]);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/**
 * Lists recipes without choices in which every option of every choice stands at least once, as few as the
 * choices with most options need: the first recipe has the first options.
 */
export function coverChoices<T>(recipe: T): readonly T[] {
  return variantsOf(recipe) as readonly T[];
}

function variantsOf(value: unknown): readonly unknown[] {
  if (isChoice(value)) return value.choose.flatMap(variantsOf);
  if (typeof value !== "object" || value === null) return [value];
  const isList = Array.isArray(value);
  const parts = Object.entries(value).map(([key, item]) => ({
    key,
    options: variantsOf(item),
    leavesOut: isList && isChoice(item),
  }));
  const count = Math.max(1, ...parts.map(({ options }) => options.length));
  return Array.from({ length: count }, (_, i) => {
    const entries = parts.map((part) => ({ ...part, value: part.options[i % part.options.length] }));
    if (!isList) return Object.fromEntries(entries.map((entry) => [entry.key, entry.value]));
    return entries.flatMap((entry) => (entry.leavesOut && entry.value === LEFT_OUT ? [] : [entry.value]));
  });
}
