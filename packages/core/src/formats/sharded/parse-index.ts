import { FormatError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_INDEX_BYTES, MAX_SHARDS, MAX_TENSORS } from "../../io/limits.ts";
import { messageOf } from "../../io/system-error.ts";
import { findDuplicateKey } from "../safetensors/duplicate-key.ts";

/**
 * Reads an index of shards, `{"weight_map": {tensor: file}}`.
 * @returns the file of each tensor, in the order of the index
 * @throws FormatError if it is not such an index, or names a file outside its folder.
 */
export async function parseIndex(source: ByteSource): Promise<ReadonlyMap<string, string>> {
  if (source.size > MAX_INDEX_BYTES) {
    throw formatError(source, `an index may have at most ${MAX_INDEX_BYTES} bytes: it has ${source.size}`);
  }
  const map = parseWeightMap(await source.read(0, source.size), source);
  const entries = Object.entries(map);
  if (entries.length === 0 || entries.length > MAX_TENSORS) {
    throw formatError(source, `an index names 1 to ${MAX_TENSORS} tensors: it names ${entries.length}`);
  }
  const files = new Map<string, string>();
  for (const [tensor, file] of entries) {
    // A plain name, so that an index cannot make us read files elsewhere.
    if (typeof file !== "string" || !/^[^/\\\0]+$/.test(file) || file === "." || file === "..") {
      throw formatError(
        source,
        `shards must be files beside the index: "${tensor}" is in ${JSON.stringify(file)}`,
      );
    }
    files.set(tensor, file);
  }
  const count = new Set(files.values()).size;
  if (count > MAX_SHARDS)
    throw formatError(source, `there may be at most ${MAX_SHARDS} shards: it names ${count}`);
  return files;
}

function parseWeightMap(json: Uint8Array, source: ByteSource): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(json);
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(
      `Cannot read "${source.name}" as an index must be JSON in UTF-8: ${messageOf(cause)}`,
      {
        format: "index",
        cause,
      },
    );
  }
  const map = isObject(value) ? value["weight_map"] : undefined;
  if (!isObject(map))
    throw formatError(source, "an index must have a weight_map of tensors and files: it has none");
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined)
    throw formatError(source, `names in an index must differ: "${duplicate}" is there twice`);
  return map;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function formatError(source: ByteSource, problem: string): FormatError {
  return new FormatError(`Cannot read "${source.name}" as ${problem}`, { format: "index" });
}
