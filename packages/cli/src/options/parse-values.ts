import { at, isIsthmusError, isUsageError, readBytes } from "@isthmus/core";
import { InvalidArgumentError } from "commander";

/**
 * Largest numbers of places on a path, columns of a plane, resamples and so on: a larger one is
 * a typing error.
 */
export const MOST = {
  places: 10_000,
  columns: 500,
  resamples: 1_000_000,
  searches: 10_000,
  epochs: 100_000,
} as const;

/**
 * Returns a parser of whole numbers within bounds, for commander.
 * @param least - the smallest number that is accepted
 * @param most - the largest number that is accepted
 */
export function parseCount(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && least <= value && value <= most) return value;
    const rule = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It must be a whole number ${rule}.`);
  };
}

/** Parses a seed: a whole number from 0 to 2^32 - 1. */
export function parseSeed(text: string): number {
  const value = parseCount(0)(text);
  if (value >= 2 ** 32) throw new InvalidArgumentError("It must be less than 4294967296.");
  return value;
}

/** Parses a finite number. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

/** Parses numbers separated by commas: `0.5,0.5`. */
export function parseNumbers(text: string): number[] {
  return text.split(",").map(parseNumber);
}

/** Parses one number for all channels, or one for each, separated by commas: `.4914,.4822,.4465`. */
export function parseChannels(text: string): number | readonly number[] {
  const numbers = parseNumbers(text);
  return numbers.length === 1 ? at(numbers, 0, "number") : numbers;
}

/** Parses two numbers, the first one smaller: `-1:1`. */
export function parseRange(text: string): readonly [from: number, to: number] {
  const [from = Number.NaN, to = Number.NaN, ...rest] = text.split(":").map(parseNumber);
  if (rest.length === 0 && from < to) return [from, to];
  throw new InvalidArgumentError("It must be two numbers from:to such as -1:1, the first one smaller.");
}

/** Largest number of values of a range such as `0:1:0.1`. */
const MOST_SCALES = 1000;

/** Parses numbers separated by commas, or a range `from:to:step`, which has both ends: `0.25:1.5:0.25`. */
export function parseScales(text: string): number[] {
  if (!text.includes(":")) return parseNumbers(text);
  const [from = 0, to = 0, step = 0, ...rest] = text.split(":").map(parseNumber);
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (rest.length > 0 || text.split(":").length !== 3 || !(step > 0 && count >= 1 && count <= MOST_SCALES)) {
    throw new InvalidArgumentError("It must be a range from:to:step such as 0.25:1.5:0.25.");
  }
  // Decimals such as 0.1 + 0.2 are rounded to what was meant.
  return Array.from({ length: count }, (_, i) => Number((from + i * step).toPrecision(12)));
}

/** Parses names separated by commas, and adds them to the names of the same option before. */
export function parseNames(text: string, previous: readonly string[] = []): readonly string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new InvalidArgumentError("It must be one or more names.");
  return [...previous, ...names];
}

/** Parses a number for each of some layers, separated by commas: `conv*=.5,fc=1`. */
export function parseLayerShares(text: string): ReadonlyMap<string, number> {
  const entries = parseNames(text).map((entry): [string, number] => {
    const [pattern = "", share = ""] = entry.split("=").map((part) => part.trim());
    if (pattern === "" || entry.split("=").length !== 2) {
      throw new InvalidArgumentError("It must be layers with a number each, such as conv*=.5,fc=1.");
    }
    return [pattern, parseNumber(share)];
  });
  return new Map(entries);
}

/** Returns a parser of words from a list, separated by commas. */
export function parseChoices<T extends string>(choices: readonly T[]): (text: string) => readonly T[] {
  return (text) => {
    const names = parseNames(text);
    const wrong = names.find((name) => !(choices as readonly string[]).includes(name));
    if (wrong === undefined) return choices.filter((choice) => names.includes(choice));
    throw new InvalidArgumentError(`It must be one or more of ${choices.join(", ")}: "${wrong}" is not one.`);
  };
}

/**
 * Parses a variable with some of its values, `width=4,8`, and adds it to the variables of earlier `--only`.
 */
export function parseOnly(
  text: string,
  before: Readonly<Record<string, readonly string[]>> = {},
): Readonly<Record<string, readonly string[]>> {
  const [, variable = "", list = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const values = list
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
  if (variable === "" || values.length === 0) {
    throw new InvalidArgumentError("It must be a variable and values, such as width=4,8.");
  }
  return { ...before, [variable]: values };
}

/** Adds the value of an option to the values of the same option before, for options that may be repeated. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** Parses a number of bytes: `5GB`, `500MiB`, `1000`. */
export const parseBytes = (text: string): number => parseWord(readBytes, text);

/**
 * Reads a word by a function of a package, whose errors describe what the word must be.
 * @throws InvalidArgumentError if that function refuses it; commander names the option
 */
export function parseWord<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (error) {
    throw isIsthmusError(error) || isUsageError(error) ? new InvalidArgumentError(error.message) : error;
  }
}
