import {
  excerpt,
  FormatError,
  parseJson,
  readFileBytes,
  readJsonFile,
  replacePythonNumbers,
} from "@isthmus/core";
import { access, dirname, join } from "@isthmus/platform";
import type { ModelConfig } from "./model-config.ts";
import { isRecord } from "./model-parts.ts";

/**
 * Largest file of settings, in bytes; the settings of a tokenizer with many added tokens take about a
 * megabyte.
 */
const MAX_SETTINGS_BYTES = 2 ** 24;

const MARKED_NUMBERS = /"\\u0000(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|-?Infinity|NaN)"/g;

/**
 * Reads settings in JSON such that {@link formatExactJson} writes all numbers with the same digits.
 *
 * Python distinguishes 1.0 from 1, and `model_max_length` may have 31 digits; JavaScript would change both
 * when it writes them, and JSON has no infinity. So such a number is read as a string that begins with a null
 * character.
 * @returns undefined if there is no such file
 * @throws FormatError if its content is not an object in JSON
 */
export async function readExactJson(path: string): Promise<ModelConfig | undefined> {
  if (!(await exists(path))) return undefined;
  const bytes = await readFileBytes(path, MAX_SETTINGS_BYTES, dirname(path));
  const attempt = `read "${path}"`;
  assertRecord(path, parseJson(bytes, { attempt, pythonNumbers: true }));
  const text = replacePythonNumbers(new TextDecoder().decode(bytes), mark);
  return assertRecord(path, parseJson(markNumbers(text), { attempt }));
}

/** Puts a number in quotes, after a null character. */
function mark(number: string): string {
  return `"\\u0000${number}"`;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Puts numbers of a JSON text that JavaScript would change in quotes, after a null character. */
function markNumbers(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let position = 0; position < text.length; ) {
    const end = endOfToken(text, position);
    const token = text.slice(position, end);
    // Letters of true and false count as parts of numbers, and are none.
    if (/^-?\d/.test(token) && String(Number(token)) !== token) {
      parts.push(text.slice(copied, position), mark(token));
      copied = end;
    }
    position = end;
  }
  return parts.join("") + text.slice(copied);
}

/** Finds the end of the string, number or other character that begins at a position. */
function endOfToken(text: string, begin: number): number {
  let end = begin + 1;
  if (text.charCodeAt(begin) !== QUOTE) {
    if (isInNumber(text.charCodeAt(begin))) while (isInNumber(text.charCodeAt(end))) end++;
    return end;
  }
  while (text.charCodeAt(end) !== QUOTE) end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return end + 1;
}

/** Checks whether a character occurs in numbers: digits, signs, points and exponents. */
function isInNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || "+-.eE".includes(String.fromCharCode(code));
}

/** Formats settings as indented JSON, with the digits of numbers that {@link readExactJson} read. */
export function formatExactJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2).replace(MARKED_NUMBERS, "$1")}\n`;
}

/**
 * Reads the `config.json` of a model directory.
 * @returns an empty config if there is no such file
 * @throws FormatError if the content of the file is not an object in JSON
 */
export async function readModelConfig(directory: string): Promise<ModelConfig> {
  return (await readExactJson(join(directory, "config.json"))) ?? {};
}

/**
 * Reads a large JSON file, such as a tokenizer, whose content is an object.
 * @returns undefined if there is no such file
 * @throws FormatError if its content is not an object in JSON
 */
export async function readPlainJson(path: string): Promise<ModelConfig | undefined> {
  if (!(await exists(path))) return undefined;
  return assertRecord(path, await readJsonFile(path, { within: dirname(path) }));
}

/** Checks whether a file exists. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function assertRecord(path: string, content: unknown): ModelConfig {
  if (isRecord(content)) return content;
  throw new FormatError(`Cannot read "${path}" as it must hold an object: it holds ${excerpt(content)}`, {
    format: "json",
  });
}
