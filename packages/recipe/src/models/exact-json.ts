import { access } from "node:fs/promises";
import { join } from "node:path";
import { excerpt, FormatError, parseJson, readFileBytes, readJsonFile } from "@isthmus/core";
import { isRecord, type ModelConfig } from "./model-config.ts";

/** Largest file of settings, in bytes; with many added tokens a tokenizer has about a megabyte of them. */
const MAX_SETTINGS_BYTES = 2 ** 26;

/** Strings in JSON, and numbers outside them. */
const STRINGS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED_NUMBERS = /"\\u0000(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"/g;

/**
 * Reads settings in JSON such that {@link formatExactJson} writes all numbers as they were.
 *
 * Python tells 1.0 from 1, and `model_max_length` may have 31 digits; JavaScript would write neither as it
 * was. So a number that it would write otherwise is read as a string that begins with a null character.
 * @returns undefined if there is no such file
 * @throws FormatError if its content is not an object in JSON
 */
export async function readExactJson(path: string): Promise<ModelConfig | undefined> {
  if (!(await exists(path))) return undefined;
  const text = new TextDecoder().decode(await readFileBytes(path, MAX_SETTINGS_BYTES));
  const marked = text.replace(STRINGS_AND_NUMBERS, (part) => {
    return part.startsWith('"') || String(Number(part)) === part ? part : `"\\u0000${part}"`;
  });
  return assertRecord(path, parseJson(marked, { attempt: `read "${path}"` }));
}

/** Writes settings as indented JSON, with numbers as {@link readExactJson} found them. */
export function formatExactJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2).replace(MARKED_NUMBERS, "$1")}\n`;
}

/**
 * Reads the `config.json` of a model directory.
 * @returns an empty config if there is none
 * @throws FormatError if it is not an object in JSON
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
  return assertRecord(path, await readJsonFile(path));
}

/** Checks whether there is a file of a name. */
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
