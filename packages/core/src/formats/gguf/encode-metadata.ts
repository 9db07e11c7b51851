import { InputError, UsageError } from "../../errors.ts";
import { parseJson } from "../../json/parse-json.ts";
import { TYPES_KEY, VALUE_TYPES } from "./gguf-metadata.ts";

/** Size and encoding of a number type. */
interface NumberEncoding {
  readonly bytes: number;
  readonly write: (out: Buffer, text: string) => unknown;
}

const NUMBERS: Readonly<Record<string, NumberEncoding>> = {
  u8: { bytes: 1, write: (out, text) => out.writeUInt8(wholeOf(text)) },
  i8: { bytes: 1, write: (out, text) => out.writeInt8(wholeOf(text)) },
  u16: { bytes: 2, write: (out, text) => out.writeUInt16LE(wholeOf(text)) },
  i16: { bytes: 2, write: (out, text) => out.writeInt16LE(wholeOf(text)) },
  u32: { bytes: 4, write: (out, text) => out.writeUInt32LE(wholeOf(text)) },
  i32: { bytes: 4, write: (out, text) => out.writeInt32LE(wholeOf(text)) },
  u64: { bytes: 8, write: (out, text) => out.writeBigUInt64LE(BigInt(text)) },
  i64: { bytes: 8, write: (out, text) => out.writeBigInt64LE(BigInt(text)) },
  f32: { bytes: 4, write: (out, text) => out.writeFloatLE(numberOf(text)) },
  f64: { bytes: 8, write: (out, text) => out.writeDoubleLE(numberOf(text)) },
  bool: { bytes: 1, write: (out, text) => out.writeUInt8(text === "true" ? 1 : boolOf(text)) },
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
  const types = typesOf(metadata[TYPES_KEY]);
  const entries = Object.entries(metadata).filter(([key]) => key !== TYPES_KEY);
  const parts = entries.map(([key, text]) => {
    const type = types.get(key) ?? "string";
    if (type.startsWith("array of ")) assertItems(key, text);
    try {
      const [first = ""] = type.split(" of ");
      return Buffer.concat([encodeText(key), encodeU32(VALUE_TYPES.indexOf(first)), encodeValue(text, type)]);
    } catch (cause) {
      throw new InputError(
        `Cannot write metadata "${key}" as it must be of the type that "${TYPES_KEY}" names, ${type}: it is ${text.slice(0, 100)}; correct or remove one of them`,
        { input: key, cause },
      );
    }
  });
  return { bytes: Buffer.concat(parts), count: entries.length };
}

/** Encodes a text in UTF-8 with its length before it. */
export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([encodeU64(bytes.length), bytes]);
}

/** Encodes a number of 64 bits. */
export function encodeU64(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(value));
  return out;
}

/** Encodes a number of 32 bits. */
export function encodeU32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function typesOf(json: string | undefined): Map<string, string> {
  if (json === undefined) return new Map();
  const value = parseJson(Buffer.from(json), { attempt: `read metadata "${TYPES_KEY}"` });
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return new Map(entries.map(([key, type]) => [key, String(type)]));
}

function encodeValue(text: string, type: string): Buffer {
  if (type === "string") return encodeText(text);
  if (type.startsWith("array of ")) return encodeArray(itemsOf(text), type.slice("array of ".length));
  const number = NUMBERS[type];
  if (number === undefined) throw new UsageError(`Cannot encode a value of type ${type}`);
  const out = Buffer.alloc(number.bytes);
  number.write(out, text);
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

function encodeArray(items: readonly string[], type: string): Buffer {
  const [first = ""] = type.split(" of ");
  const head = Buffer.concat([encodeU32(VALUE_TYPES.indexOf(first)), encodeU64(items.length)]);
  return Buffer.concat([head, ...items.map((item) => encodeValue(item, type))]);
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

function wholeOf(text: string): number {
  return Number(BigInt(text));
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
