import { encodeUtf8 } from "@isthmus/platform";
import { parseJson } from "../../json/parse-json.ts";
import { TYPES_KEY } from "./gguf-metadata.ts";

/**
 * Returns metadata with other values for some entries, all of one type: entries are added, changed, or
 * removed if their value is undefined.
 * @param type - type of the values in GGUF, such as `u32` or `array of string`
 */
export function setEntries(
  metadata: Readonly<Record<string, string>>,
  type: string,
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const types = typesOf(metadata);
  const entries = new Map(Object.entries(metadata));
  for (const [key, value] of Object.entries(values)) {
    entries.delete(key);
    types.delete(key);
    if (value === undefined) continue;
    entries.set(key, value);
    if (type !== "string") types.set(key, type);
  }
  entries.delete(TYPES_KEY);
  if (types.size > 0) entries.set(TYPES_KEY, JSON.stringify(Object.fromEntries(types)));
  return Object.fromEntries(entries);
}

/** Returns the types in GGUF of the entries of metadata that are not texts, by their keys. */
export function typesOf(metadata: Readonly<Record<string, string>>): Map<string, string> {
  const json = metadata[TYPES_KEY];
  if (json === undefined) return new Map();
  const value = parseJson(encodeUtf8(json), { attempt: `read metadata "${TYPES_KEY}"` });
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return new Map(entries.map(([key, type]) => [key, String(type)]));
}

/** Returns the items of an array of texts in metadata; none if there is no such array. */
export function readJsonArray(metadata: Readonly<Record<string, string>>, key: string): readonly string[] {
  const json = metadata[key];
  if (json === undefined || typesOf(metadata).get(key) !== "array of string") return [];
  const items = parseJson(encodeUtf8(json), { attempt: `read metadata "${key}"` });
  return Array.isArray(items) ? items.map(String) : [];
}
