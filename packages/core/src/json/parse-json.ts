import { FormatError } from "../errors.ts";
import { messageOf } from "../io/system-error.ts";
import { excerpt } from "./excerpt.ts";

/**
 * Deepest nesting of arrays and objects in JSON: files of checkpoints, graphs and results have fewer than
 * twenty levels. Deeper values are refused, as they could exhaust the stack of code that walks through them.
 */
export const MAX_JSON_DEPTH = 128;

const TOO_DEEP = `its JSON may be nested ${MAX_JSON_DEPTH} levels deep`;

/**
 * Parts of the message for a text that is not JSON, `Cannot ${attempt} as ${rule}: ...`, and additional
 * checks.
 */
export interface JsonPurpose {
  /** Operation that needs the JSON, for example `read "x.json"`. */
  readonly attempt: string;
  /** Rule that the text must follow. @defaultValue "it must be JSON" */
  readonly rule?: string;
  /** Format, for {@link FormatError}. @defaultValue "json" */
  readonly format?: string;
  /**
   * Whether objects with duplicate keys are refused; otherwise the last value counts.
   * @defaultValue false
   */
  readonly distinctKeys?: boolean;
  /**
   * Whether the words `Infinity` and `NaN` are read, which Python writes for numbers that JSON does not have:
   * as infinity, and as null. @defaultValue false
   */
  readonly pythonNumbers?: boolean;
}

/**
 * Parses JSON from an untrusted source. All code in Isthmus
 * that parses the JSON of a file uses this function.
 * @param json - text, or its bytes in UTF-8, with or without a byte order mark
 * @throws FormatError if the text is not JSON, is nested more than {@link MAX_JSON_DEPTH} levels deep, or has
 *   a duplicate key although these are refused
 */
export function parseJson(json: string | Uint8Array, purpose: JsonPurpose): unknown {
  const { attempt, rule = "it must be JSON", format = "json" } = purpose;
  const { distinctKeys = false, pythonNumbers = false } = purpose;
  const fail = (problem: string, cause?: unknown): FormatError =>
    new FormatError(`Cannot ${attempt} as ${problem}`, { format, cause });
  let text: string;
  let value: unknown;
  try {
    text = typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json);
    const place = findDeepPlace(text);
    if (place !== undefined) throw fail(`${TOO_DEEP}: it is nested deeper at character ${place}`);
    value = JSON.parse(pythonNumbers ? replacePythonNumbers(text, numberOf) : text);
  } catch (cause) {
    throw cause instanceof FormatError ? cause : fail(`${rule}: ${messageOf(cause)}`, cause);
  }
  const duplicate = distinctKeys ? findDuplicateKey(text) : undefined;
  if (duplicate === undefined) return value;
  throw fail(`its names must differ: ${excerpt(duplicate)} is there twice`);
}

/** Words that Python writes for numbers that JSON does not have, with what a parser of JSON reads so. */
const PYTHON_NUMBERS: ReadonlyMap<string, string> = new Map([
  ["Infinity", "1e999"],
  ["-Infinity", "-1e999"],
  ["NaN", "null"],
]);

const numberOf = (word: string): string => PYTHON_NUMBERS.get(word) ?? word;

/**
 * Replaces the words `Infinity` and `NaN`, which Python writes for numbers that JSON does not have, in a
 * text of JSON; strings are not changed.
 * @param replace - returns the JSON for a word, which may begin with a sign
 */
export function replacePythonNumbers(json: string, replace: (word: string) => string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gs, (part) =>
    part.startsWith('"') ? part : replace(part),
  );
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Finds the first character at which brackets outside strings are nested too deeply; the parser itself has no
 * limit.
 */
function findDeepPlace(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    // An array and an object begin with 0x5b and 0x7b, and end with 0x5d and 0x7d.
    else if ((code | 0x20) === 0x7b) depth++;
    else if ((code | 0x20) === 0x7d) depth--;
    if (depth > MAX_JSON_DEPTH) return at;
  }
  return undefined;
}

/**
 * Finds the closing quote of a string, or the end of the text if there is none, which the parser then
 * refuses.
 */
function endOfString(text: string, opening: number): number {
  for (let at = opening + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

const COLON = 0x3a;

/**
 * Finds a key that occurs twice in one object of a JSON text; `JSON.parse` would silently keep the last.
 * @param json - valid JSON
 * @returns the first such key, or undefined
 */
export function findDuplicateKey(json: string): string | undefined {
  const open: Array<Set<string> | undefined> = [];
  let begin = 0;
  let end = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      begin = at;
      at = closingQuote(json, at);
      end = at + 1;
    } else if (code === COLON) {
      // Outside strings a colon occurs only after a key.
      const key = JSON.parse(json.slice(begin, end)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    } else track(open, code);
  }
  return undefined;
}

function track(open: Array<Set<string> | undefined>, code: number): void {
  const character = String.fromCharCode(code);
  if (character === "{") open.push(new Set());
  else if (character === "[") open.push(undefined);
  else if (character === "}" || character === "]") open.pop();
}

function closingQuote(json: string, opening: number): number {
  let at = json.indexOf('"', opening + 1);
  while (isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
