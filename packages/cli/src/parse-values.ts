import { InvalidArgumentError } from "commander";

/** Parses a whole number of at least `least`, for commander. */
export function parseCount(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
    }
    return value;
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

/** Parses names separated by commas, and adds them to those of the same option before. */
export function parseNames(text: string, previous: readonly string[] = []): readonly string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) throw new InvalidArgumentError("It must be one or more names.");
  return [...previous, ...names];
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Parses a number of bytes: `5GB`, `500MiB`, `1000`. */
export function parseBytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = BYTE_UNITS[unit.toLowerCase()];
  const bytes = Math.floor(Number(digits) * (factor ?? 0));
  if (digits === "" || bytes < 1) throw new InvalidArgumentError("It must be a size such as 5GB or 500MiB.");
  return bytes;
}
