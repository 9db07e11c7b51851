import { at, OutOfRangeError, UsageError } from "@isthmus/core";

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

/** Number of digits of a searched number that are kept; more digits would hardly change a merge. */
const DIGITS = 6;

/**
 * Lists the numbers of a recipe that are marked with a range: `{ search: [low, high], start? }` in place of
 * the number. A search begins at `start`, or in the middle.
 *
 * @throws UsageError if a mark has a wrong form
 * @throws OutOfRangeError if a range is empty, or the start is outside it
 */
export function listSearched(recipe: unknown): readonly SearchedNumber[] {
  const listed: SearchedNumber[] = [];
  const visit = (value: unknown, keys: readonly (string | number)[]): void => {
    if (typeof value !== "object" || value === null) return;
    if ("search" in value) listed.push(readMark(value, keys));
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, [...keys, i]);
    else for (const [key, item] of Object.entries(value)) visit(item, [...keys, key]);
  };
  visit(recipe, []);
  return listed;
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

/** Returns a recipe with numbers in place of its marks, in the order of {@link listSearched}. */
export function fillSearched<T>(recipe: T, values: readonly number[]): T {
  let next = 0;
  const fill = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if ("search" in value) return at(values, next++, "searched number");
    if (Array.isArray(value)) return value.map(fill);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
  };
  return fill(recipe) as T;
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
