import { MAX_SHARDS, MAX_TENSORS } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import { formatErrors } from "../format-errors.ts";
import type { JsonDocument } from "../read-json-document.ts";

const formatError = formatErrors("index");

/**
 * Checks an index of shards, `{"weight_map": {tensor: file}}`.
 * @returns the file of each tensor, in the order of the index
 * @throws FormatError if the document is not such an index, or names a file outside its folder.
 */
export function parseIndex(document: JsonDocument): ReadonlyMap<string, string> {
  const { source } = document;
  const entries = Object.entries(weightMapOf(document));
  if (entries.length === 0 || entries.length > MAX_TENSORS) {
    throw formatError(source, `an index names 1 to ${MAX_TENSORS} tensors: it names ${entries.length}`);
  }
  const files = new Map<string, string>();
  for (const [tensor, file] of entries) {
    // Only plain names are allowed, so that an index cannot make Isthmus read files elsewhere.
    if (typeof file !== "string" || !/^[^/\\\0]+$/.test(file) || file === "." || file === "..") {
      throw formatError(source, `shards must be files beside the index: "${tensor}" is in ${excerpt(file)}`);
    }
    files.set(tensor, file);
  }
  const count = new Set(files.values()).size;
  if (count > MAX_SHARDS)
    throw formatError(source, `there may be at most ${MAX_SHARDS} shards: it names ${count}`);
  return files;
}

function weightMapOf({ source, value }: JsonDocument): Record<string, unknown> {
  const map = isObject(value) ? value["weight_map"] : undefined;
  if (isObject(map)) return map;
  throw formatError(source, "an index must have a weight_map of tensors and files: it has none");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
