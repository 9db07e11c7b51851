import { FormatError } from "../errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { MAX_INDEX_BYTES } from "../io/limits.ts";
import { parseJson } from "../json/parse-json.ts";

/** A JSON file that describes a checkpoint: an index of shards, or the model of TensorFlow.js. */
export interface JsonDocument {
  /** Name of the file, for messages. */
  readonly source: string;
  /** Content of the file as parsed JSON, unchecked. */
  readonly value: unknown;
}

/**
 * Reads the JSON file that describes a checkpoint.
 * @throws FormatError if the file is not JSON in UTF-8, is nested too deeply, has a duplicate key, or is too
 *   long
 */
export async function readJsonDocument(source: ByteSource): Promise<JsonDocument> {
  const { name, size } = source;
  if (size > MAX_INDEX_BYTES) {
    throw new FormatError(
      `Cannot read "${name}" as an index may have at most ${MAX_INDEX_BYTES} bytes: it has ${size}`,
      { format: "index" },
    );
  }
  const value = parseJson(await source.read(0, size), {
    attempt: `read "${name}"`,
    rule: "an index must be JSON in UTF-8",
    format: "index",
    distinctKeys: true,
  });
  return { source: name, value };
}
