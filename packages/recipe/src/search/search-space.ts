import { at, OutOfRangeError, UsageError } from "@isthmus/core";
import { canonicalJson } from "@isthmus/tasks";
import { RECIPE_METHODS } from "../plan/find-method.ts";
import { listGroups } from "../plan/groups.ts";
import { hasIdleBase } from "../plan/roles.ts";
import { type ChoiceMark, isChoice, LEFT_OUT } from "../recipe/choices.ts";
import type { Recipe } from "../recipe/recipe.ts";

/** A number of a recipe that is searched. */
export interface SearchedNumber {
  /** Path of the number in the recipe, for example `models.0.parameters.weight`. */
  readonly path: string;
  /** Keys and positions that lead to the number. */
  readonly keys: readonly (string | number)[];
  /** Lower end of the range in which the number is searched. */
  readonly low: number;
  /** Upper end of the range in which the number is searched. */
  readonly high: number;
  /** Number at which the search begins, in `[low, high]`. */
  readonly start: number;
}

/** A value of a recipe that is chosen among options. */
export interface SearchedChoice {
  /** Path of the value in the recipe, for example `merge_method`, or `slices.0.sources.0.model`. */
  readonly path: string;
  /** Keys and positions that lead to the value. */
  readonly keys: readonly (string | number)[];
  /** Options as texts that differ: a text or a number is itself, and others are written as JSON. */
  readonly options: readonly string[];
}

/** A value of a recipe that is searched: a number, or a choice. */
export type SearchedValue = SearchedNumber | SearchedChoice;

/** Number of digits of a searched number that are kept; more digits would hardly change a merge. */
const DIGITS = 6;

/**
 * Lists the values of a recipe that are marked: with a range, `{ search: [low, high], start? }` in place of a
 * number, or with options, `{ choose: [a, b] }` in place of any value. A search begins at `start`, or in the
 * middle, and with all options equally likely. Options may have marks of their own, which follow theirs.
 *
 * @throws UsageError if a mark has a wrong form
 * @throws OutOfRangeError if a range is empty, or the start is outside it
 */
export function listSearched(recipe: unknown): readonly SearchedValue[] {
  return listUnder(recipe, []);
}

function listUnder(value: unknown, keys: readonly (string | number)[]): readonly SearchedValue[] {
  if (typeof value !== "object" || value === null) return [];
  if (isChoice(value)) return [readChoice(value, keys), ...listUnder(value.choose, [...keys, "choose"])];
  if ("search" in value) return [readMark(value, keys)];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, item]) =>
    listUnder(item, [...keys, isList ? Number(key) : key]),
  );
}

/** Checks whether a searched value is a choice. */
export function isSearchedChoice(value: SearchedValue): value is SearchedChoice {
  return "options" in value;
}

function readChoice(mark: ChoiceMark<unknown>, keys: readonly (string | number)[]): SearchedChoice {
  const path = keys.join(".");
  const [unknown] = Object.keys(mark).filter((key) => key !== "choose");
  if (unknown !== undefined)
    throw new UsageError(`Cannot search "${path}" as a choice has only choose: it has "${unknown}"`);
  const options = mark.choose.map((option) =>
    typeof option === "object" ? canonicalJson(option) : String(option),
  );
  if (options.length < 2)
    throw new UsageError(`Cannot search "${path}" as a choice needs two options: it has ${options.length}`);
  const twice = options.find((option, i) => options.indexOf(option) < i);
  if (twice !== undefined)
    throw new UsageError(`Cannot search "${path}" as its options must differ: ${twice} is there twice`);
  return { path, keys, options };
}

function readMark(mark: object, keys: readonly (string | number)[]): SearchedNumber {
  const path = keys.join(".");
  const { search, start, ...others } = mark as { search: unknown; start?: unknown };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new UsageError(`Cannot search "${path}" as a range has only search and start: it has "${unknown}"`);
  const [low, high] = Array.isArray(search) && search.length === 2 ? search : [];
  if (typeof low !== "number" || typeof high !== "number") {
    throw new UsageError(
      `Cannot search "${path}" as a range must be two numbers, such as [0, 1]: it is ${JSON.stringify(search)}`,
    );
  }
  if (!(low < high && Number.isFinite(high - low)))
    throw new OutOfRangeError(`Cannot search "${path}" as its range must grow: it is [${low}, ${high}]`);
  const begin = start ?? (low + high) / 2;
  if (typeof begin !== "number" || !(begin >= low && begin <= high)) {
    throw new OutOfRangeError(
      `Cannot search "${path}" as its start must be in [${low}, ${high}]: it is ${JSON.stringify(begin)}`,
    );
  }
  return { path, keys, low, high, start: begin };
}

/**
 * Returns a recipe with values in place of its marks. A base beside a choice of methods is left out if the
 * chosen method would refuse it, as it compares with none, and another method of the choice needs it.
 * @param values - in the order of {@link listSearched}: numbers for ranges, and positions of options for
 *   choices
 */
export function fillSearched<T>(recipe: T, values: readonly number[]): T {
  let next = 0;
  const fill = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (isChoice(value)) {
      const chosen = at(values, next++, "searched choice");
      // All options are filled, as the values of their marks are there in any case.
      return at(value.choose.map(fill), chosen, "option");
    }
    if ("search" in value) return at(values, next++, "searched number");
    if (Array.isArray(value)) {
      const items = value.map(fill);
      return items.filter((item, i) => !(item === LEFT_OUT && isChoice(value[i])));
    }
    const filled = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
    return withoutIdleBase(filled, value);
  };
  return fill(recipe) as T;
}

/**
 * Leaves the base out of a recipe for whose method it has no effect, if it stood beside a choice of methods
 * one of which compares with a base.
 */
function withoutIdleBase(filled: Readonly<Record<string, unknown>>, marked: object): object {
  const { base_model: base, ...others } = filled;
  if (base === undefined || !("merge_method" in marked && isChoice(marked.merge_method))) return filled;
  const methodOf = (name: unknown) => RECIPE_METHODS.get(String(name));
  const comparing = marked.merge_method.choose.some((name) => {
    const rule = methodOf(name)?.networks.base;
    return rule !== undefined && rule !== "none";
  });
  const method = methodOf(filled["merge_method"]);
  if (!comparing || method === undefined) return filled;
  return hasIdleBase(listGroups(filled as unknown as Recipe), method) ? others : filled;
}

/**
 * Returns the values at which a search begins: the start of each range, and the first option of each choice.
 */
function firstValues(recipe: unknown): readonly number[] {
  return listSearched(recipe).map((value) => (isSearchedChoice(value) ? 0 : value.start));
}

/**
 * Lists values with which each option of each choice stands in a recipe once: first those at which a search
 * begins, then those with one other option, all else as at the beginning. An option inside another option
 * stands with that one.
 */
export function valuesOfEachOption(recipe: unknown): readonly (readonly number[])[] {
  const marked = listSearched(recipe);
  const first = firstValues(recipe);
  const others = marked.flatMap((value) => {
    if (!isSearchedChoice(value)) return [];
    const around = first.map((begin, i) => optionAround(at(marked, i, "mark"), value) ?? begin);
    return value.options.map((_, option) => around.map((of, i) => (marked[i] === value ? option : of)));
  });
  const different = new Map([first, ...others].map((values) => [values.join(","), values]));
  return [...different.values()];
}

/** Returns the option of a choice inside which another value stands; undefined if it stands elsewhere. */
function optionAround(choice: SearchedValue, { keys }: SearchedValue): number | undefined {
  const inside = [...choice.keys, "choose"];
  if (!isSearchedChoice(choice) || !inside.every((key, i) => key === keys[i])) return undefined;
  return Number(keys[inside.length]);
}

/** Maps a searched number to `[0, 1]`. */
export function toUnit({ low, high }: SearchedNumber, value: number): number {
  return (value - low) / (high - low);
}

/** Maps any number to the range of a searched number; numbers outside `[0, 1]` are reflected at its ends. */
export function fromUnit({ low, high }: SearchedNumber, unit: number): number {
  const folded = Math.abs(unit % 2);
  const inside = folded > 1 ? 2 - folded : folded;
  return Math.min(high, Math.max(low, Number((low + inside * (high - low)).toPrecision(DIGITS))));
}
