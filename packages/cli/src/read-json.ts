import { readFile } from "node:fs/promises";
import { FormatError, InputError } from "@isthmus/core";

/**
 * Reads a JSON file.
 * @throws InputError if it cannot be read
 * @throws FormatError if it is not JSON
 */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new InputError(`Cannot read "${path}" as it must be a readable file: ${(cause as Error).message}`, {
      input: path,
      cause,
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`Cannot read "${path}" as it must be JSON: ${(cause as Error).message}`, {
      format: "json",
      cause,
    });
  }
}
