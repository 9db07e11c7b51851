import { concatBytes, encodeUtf8 } from "@isthmus/platform";
import { InputError, UsageError } from "../../errors.ts";
import { TYPES_KEY, VALUE_TYPES } from "./gguf-metadata.ts";
import { typesOf } from "./metadata-types.ts";

/** Size and encoding of a number type. */
interface NumberEncoding {
  readonly bytes: number;
  readonly write: (out: DataView, text: string) => void;
}

const NUMBERS: Readonly<Record<string, NumberEncoding>> = {
  u8: { bytes: 1, write: (out, text) => out.setUint8(0, wholeOf(text, 0, 2 ** 8)) },
  i8: { bytes: 1, write: (out, text) => out.setInt8(0, wholeOf(text, -(2 ** 7), 2 ** 7)) },
  u16: { bytes: 2, write: (out, text) => out.setUint16(0, wholeOf(text, 0, 2 ** 16), true) },
  i16: { bytes: 2, write: (out, text) => out.setInt16(0, wholeOf(text, -(2 ** 15), 2 ** 15), true) },
  u32: { bytes: 4, write: (out, text) => out.setUint32(0, wholeOf(text, 0, 2 ** 32), true) },
  i32: { bytes: 4, write: (out, text) => out.setInt32(0, wholeOf(text, -(2 ** 31), 2 ** 31), true) },
  u64: { bytes: 8, write: (out, text) => out.setBigUint64(0, bigOf(text, 0n, 2n ** 64n), true) },
  i64: { bytes: 8, write: (out, text) => out.setBigInt64(0, bigOf(text, -(2n ** 63n), 2n ** 63n), true) },
  f32: { bytes: 4, write: (out, text) => out.setFloat32(0, numberOf(text), true) },
  f64: { bytes: 8, write: (out, text) => out.setFloat64(0, numberOf(text), true) },
  bool: { bytes: 1, write: (out, text) => out.setUint8(0, text === "true" ? 1 : boolOf(text)) },
};

/**
 * Encodes metadata for a GGUF file: texts, and values whose types are stored under {@link TYPES_KEY}.
 * @returns the encoded entries, and their number
 * @throws InputError if a value does not fit its stored type
 */
export function encodeMetadata(metadata: Readonly<Record<string, string>>): {
  readonly bytes: Uint8Array;
  readonly count: number;
} {
  const types = typesOf(metadata);
  const entries = Object.entries(metadata).filter(([key]) => key !== TYPES_KEY);
  const parts = entries.map(([key, text]) => {
    const type = types.get(key) ?? "string";
    if (type.startsWith("array of ")) assertItems(key, text);
    try {
      const [first = ""] = type.split(" of ");
      return concatBytes([encodeText(key), encodeU32(VALUE_TYPES.indexOf(first)), encodeValue(text, type)]);
    } catch (cause) {
      throw new InputError(
        `Cannot write metadata "${key}" as it must be of the type that "${TYPES_KEY}" names, ${type}: it is ${text.slice(0, 100)}; correct or remove one of them`,
        { input: key, cause },
      );
    }
  });
  return { bytes: concatBytes(parts), count: entries.length };
}

/** Encodes a text in UTF-8 with its length before it. */
export function encodeText(text: string): Uint8Array {
  const bytes = encodeUtf8(text);
  return concatBytes([encodeU64(bytes.length), bytes]);
}

/** Encodes a number of 64 bits. */
export function encodeU64(value: number): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value), true);
  return out;
}

/** Encodes a number of 32 bits. */
export function encodeU32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}

function encodeValue(text: string, type: string): Uint8Array {
  if (type === "string") return encodeText(text);
  if (type.startsWith("array of ")) return encodeArray(itemsOf(text), type.slice("array of ".length));
  const number = NUMBERS[type];
  if (number === undefined) throw new UsageError(`Cannot encode a value of type ${type}`);
  const out = new Uint8Array(number.bytes);
  number.write(new DataView(out.buffer), text);
  return out;
}

/** Maximum number of items of an array; vocabularies have a few hundred thousand tokens. */
const MOST_ITEMS = 2 ** 22;

/**
 * Checks that an array does not exceed the maximum number of items, before it is split.
 * @throws InputError if there are too many items
 */
function assertItems(key: string, json: string): void {
  let commas = 0;
  for (let i = json.indexOf(","); i >= 0; i = json.indexOf(",", i + 1)) commas++;
  if (commas < MOST_ITEMS) return;
  throw new InputError(
    `Cannot write metadata "${key}" as an array may have ${MOST_ITEMS} items: it has ${commas + 1}, or commas in texts; remove it`,
    { input: key },
  );
}

function encodeArray(items: readonly string[], type: string): Uint8Array {
  const [first = ""] = type.split(" of ");
  const head = concatBytes([encodeU32(VALUE_TYPES.indexOf(first)), encodeU64(items.length)]);
  return concatBytes([head, ...items.map((item) => encodeValue(item, type))]);
}

/** Splits an array in JSON into the texts of its items; whole numbers keep all their digits. */
function itemsOf(json: string): string[] {
  // As texts, numbers keep more digits than a double has.
  const quoted = json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
  const items: unknown = JSON.parse(quoted);
  if (!Array.isArray(items)) throw new UsageError("Cannot encode an array of what is none");
  return items.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
}

/** Reads a whole number from `least` to below `end`. */
function wholeOf(text: string, least: number, end: number): number {
  return Number(bigOf(text, BigInt(least), BigInt(end)));
}

function bigOf(text: string, least: bigint, end: bigint): bigint {
  const value = BigInt(text);
  if (least <= value && value < end) return value;
  throw new UsageError(`Cannot encode ${value} as it must be from ${least} to ${end - 1n}`);
}

function boolOf(text: string): number {
  if (text === "false") return 0;
  throw new UsageError("Cannot encode a boolean of what is none");
}

function numberOf(text: string): number {
  if (text === "NaN") return Number.NaN;
  const value = Number(text);
  if (text.trim() !== "" && !Number.isNaN(value)) return value;
  throw new UsageError("Cannot encode a number of what is none");
}
