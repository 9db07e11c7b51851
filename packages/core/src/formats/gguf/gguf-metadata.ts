import type { GgufCursor } from "./gguf-cursor.ts";

/** Types of values in the metadata of a GGUF file, by their numbers in the file. */
export const VALUE_TYPES: readonly string[] = "u8 i8 u16 i16 u32 i32 f32 bool string array u64 i64 f64".split(
  " ",
);

/** Key under which {@link readMetadata} stores the types of values that are not texts. */
export const TYPES_KEY = "gguf.types";

/** Metadata key of the architecture; without it programs refuse to load a file. */
const ARCHITECTURE_KEY = "general.architecture";

/** Checks whether metadata come from a GGUF file, perhaps by way of another format. */
export function hasGgufMetadata(metadata: Readonly<Record<string, string>>): boolean {
  return metadata[ARCHITECTURE_KEY] !== undefined;
}

/** Maximum levels of nested arrays; arrays in real files are not nested. */
const MAX_LEVELS = 4;

/** Number of items that are joined at once. */
const BLOCK = 4096;

interface NumberType {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number | bigint;
}

/** Readers of the number types, by their numbers in the file. */
const NUMBERS: ReadonlyMap<number, NumberType> = new Map([
  [0, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [1, { bytes: 1, read: (view, at) => view.getInt8(at) }],
  [2, { bytes: 2, read: (view, at) => view.getUint16(at, true) }],
  [3, { bytes: 2, read: (view, at) => view.getInt16(at, true) }],
  [4, { bytes: 4, read: (view, at) => view.getUint32(at, true) }],
  [5, { bytes: 4, read: (view, at) => view.getInt32(at, true) }],
  [6, { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  [10, { bytes: 8, read: (view, at) => view.getBigUint64(at, true) }],
  [11, { bytes: 8, read: (view, at) => view.getBigInt64(at, true) }],
  [12, { bytes: 8, read: (view, at) => view.getFloat64(at, true) }],
] satisfies [number, NumberType][]);

const BOOL = 7;
const STRING = 8;
const ARRAY = 9;

/** A value as text, and its type: `u32`, or `array of string`. */
interface MetadataValue {
  readonly text: string;
  readonly type: string;
}

/**
 * Reads the metadata of a GGUF file as texts: numbers in decimals, arrays as JSON.
 *
 * The types of all values that are not texts are stored as JSON under {@link TYPES_KEY}, so that a GGUF file
 * can be written with the same types.
 * @param count - number of entries
 * @throws FormatError if an entry is malformed, or two have one key
 */
export function readMetadata(cursor: GgufCursor, count: number): Record<string, string> {
  const entries = new Map<string, string>();
  const types = new Map<string, string>();
  for (let left = count; left > 0; left--) {
    const key = cursor.text("a key of the metadata");
    if (entries.has(key) || key === TYPES_KEY) {
      throw cursor.error(`each key of the metadata must be there once: "${key}" is there twice, or reserved`);
    }
    const { text, type } = readValue(cursor, cursor.u32());
    entries.set(key, text);
    if (type !== "string") types.set(key, type);
  }
  if (types.size > 0) entries.set(TYPES_KEY, JSON.stringify(Object.fromEntries(types)));
  return Object.fromEntries(entries);
}

function readValue(cursor: GgufCursor, type: number): MetadataValue {
  if (type === STRING) return { text: cursor.text("a value of the metadata"), type: "string" };
  if (type === ARRAY) return readArray(cursor, 1);
  return { text: numberOrBool(cursor, type), type: nameOf(cursor, type) };
}

function readArray(cursor: GgufCursor, level: number): MetadataValue {
  const type = cursor.u32();
  const name = nameOf(cursor, type);
  const count = cursor.count("an array in the metadata", bytesOf(type));
  if (level > MAX_LEVELS) throw cursor.error(`arrays may be ${MAX_LEVELS} levels deep: one is deeper`);
  const items = new ItemList();
  let itemType = name;
  for (let left = count; left > 0; left--) {
    if (type !== ARRAY) {
      items.add(readItem(cursor, type));
      continue;
    }
    const item = readArray(cursor, level + 1);
    if (left < count && item.type !== itemType)
      throw cursor.error(`arrays within an array must be of one type: they are ${itemType} and ${item.type}`);
    itemType = item.type;
    items.add(item.text);
  }
  return { text: `[${items.text()}]`, type: `array of ${itemType}` };
}

/**
 * Builder that joins items of JSON; it needs little more memory than their text, even for very many items.
 */
class ItemList {
  readonly #blocks: string[] = [];
  #items: string[] = [];

  add(item: string): void {
    this.#items.push(item);
    if (this.#items.length === BLOCK) this.#flush();
  }

  text(): string {
    this.#flush();
    return this.#blocks.join(",");
  }

  #flush(): void {
    if (this.#items.length > 0) this.#blocks.push(this.#items.join(","));
    this.#items = [];
  }
}

/** Reads an item of an array as JSON. */
function readItem(cursor: GgufCursor, type: number): string {
  if (type === STRING) return JSON.stringify(cursor.text("an item of the metadata"));
  const text = numberOrBool(cursor, type);
  // JSON has no NaN and no infinities.
  return /^-?[IN]/.test(text) ? `"${text}"` : text;
}

/**
 * Returns the minimum size of a value in bytes: for a text its length field, for an array its type and
 * length.
 */
function bytesOf(type: number): number {
  if (type === STRING) return 8;
  if (type === ARRAY) return 12;
  return NUMBERS.get(type)?.bytes ?? 1;
}

function numberOrBool(cursor: GgufCursor, type: number): string {
  if (type === BOOL) {
    const value = cursor.number(1, (view, at) => view.getUint8(at));
    if (value > 1) throw cursor.error(`a boolean must be 0 or 1: it is ${value}`);
    return value === 1 ? "true" : "false";
  }
  const number = NUMBERS.get(type);
  if (number === undefined) throw cursor.error(`types of metadata must be 0 to 12: one is ${type}`);
  const value = cursor.number(number.bytes, number.read);
  return Object.is(value, -0) ? "-0" : String(value);
}

function nameOf(cursor: GgufCursor, type: number): string {
  const name = VALUE_TYPES[type];
  if (name !== undefined) return name;
  throw cursor.error(`types of metadata must be 0 to 12: one is ${type}`);
}
