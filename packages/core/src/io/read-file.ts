import { FormatError } from "../errors.ts";
import { type JsonPurpose, parseJson } from "../json/parse-json.ts";
import { openFileSource } from "./file-source.ts";
import { MAX_JSON_BYTES, MAX_TEXT_BYTES } from "./limits.ts";

/**
 * Reads a whole file into memory.
 * @param maxBytes - maximum size in bytes, compared before memory is allocated
 * @param within - folder in which the file must lie after all links are resolved. @defaultValue any folder
 * @throws InputError if the file does not exist, may not be read, is not a regular file, or changes meanwhile
 * @throws FormatError if the file is longer than `maxBytes`
 */
export async function readFileBytes(path: string, maxBytes: number, within?: string): Promise<Uint8Array> {
  const source = await openFileSource(path, within);
  try {
    if (source.size <= maxBytes) return await source.read(0, source.size);
    throw new FormatError(
      `Cannot read "${path}" as it may have at most ${maxBytes} bytes: it has ${source.size}`,
      { format: "file" },
    );
  } finally {
    await source.close();
  }
}

/**
 * Reads a whole text file in UTF-8, with or without a byte order mark.
 * @param within - folder in which the file must lie after all links are resolved. @defaultValue any folder
 * @throws InputError as {@link readFileBytes}
 * @throws FormatError if the file is not UTF-8, or too long
 */
export async function readTextFile(path: string, within?: string): Promise<string> {
  const bytes = await readFileBytes(path, MAX_TEXT_BYTES, within);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`Cannot read "${path}" as it must be text in UTF-8: it is not`, {
      format: "text",
      cause,
    });
  }
}

/** Options of {@link readJsonFile}. */
interface ReadJsonOptions extends Omit<JsonPurpose, "attempt"> {
  /** Action that needs the JSON. @defaultValue reading the file */
  readonly attempt?: string;
  /** Folder in which the file must lie after all links are resolved. @defaultValue any folder */
  readonly within?: string;
}

/**
 * Reads a JSON file.
 * @throws InputError as {@link readFileBytes}
 * @throws FormatError if the file is not JSON, nested too deeply, or too long
 */
export async function readJsonFile(
  path: string,
  { within, ...purpose }: ReadJsonOptions = {},
): Promise<unknown> {
  const bytes = await readFileBytes(path, MAX_JSON_BYTES, within);
  return parseJson(bytes, { attempt: `read "${path}"`, ...purpose });
}
