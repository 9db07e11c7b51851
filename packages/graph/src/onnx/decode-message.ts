import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { OutOfRangeError, UsageError } from "@isthmus/core";
import type { Field, Schema } from "./schema.ts";
import { wireTypeOf } from "./wire-type.ts";

/** Maximum nesting, which no real model reaches; deeper input is refused before it can exhaust the stack. */
const MAX_DEPTH = 64;

/**
 * Maximum number of messages and byte strings in a model: the largest models have about 200,000. Each takes
 * at least two bytes of a file and several hundred in memory.
 */
const MAX_PARTS = 1_000_000;

type Message = Record<string, unknown>;

/** Number of decoded parts of a model so far. */
interface Budget {
  parts: number;
}

/**
 * Decodes one protobuf message by its schema; byte fields share memory with `bytes`.
 * @throws OutOfRangeError or UsageError, or an error of the wire reader, if the bytes are not such a message
 */
export function decodeMessage<T>(schema: Schema, bytes: Uint8Array): T {
  return decodeWithin(schema, bytes, { depth: 0, budget: { parts: 0 } });
}

/** Nesting of a message, and the parts counted so far. */
interface Place {
  readonly depth: number;
  readonly budget: Budget;
}

function decodeWithin<T>(schema: Schema, bytes: Uint8Array, place: Place): T {
  if (place.depth > MAX_DEPTH) {
    throw new OutOfRangeError(`Cannot decode a message as nesting must not exceed ${MAX_DEPTH} levels`);
  }
  const reader = new BinaryReader(bytes);
  const message: Message = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = schema[number];
    if (field === undefined) reader.skip(wireType, number);
    else readField(reader, { field, wireType, place }, message);
  }
  return message as T;
}

/** An occurrence of a field in a message. */
interface Occurrence {
  readonly field: Field;
  readonly wireType: WireType;
  readonly place: Place;
}

function readField(reader: BinaryReader, occurrence: Occurrence, message: Message): void {
  const { field, wireType } = occurrence;
  const packed = field.repeated === true && wireType === WireType.LengthDelimited && isNumeric(field);
  if (!packed && wireType !== wireTypeOf(field)) {
    throw new UsageError(
      `Cannot decode field "${field.name}" as its wire type must be ${wireTypeOf(field)}: it is ${wireType}`,
    );
  }
  if (field.repeated !== true) {
    message[field.name] = readValue(reader, occurrence);
    return;
  }
  let list = message[field.name] as unknown[] | undefined;
  if (list === undefined) {
    list = [];
    message[field.name] = list;
  }
  if (packed) {
    const values = new BinaryReader(reader.bytes());
    while (values.pos < values.len) list.push(readValue(values, occurrence));
  } else {
    list.push(readValue(reader, occurrence));
  }
}

function isNumeric(field: Field): boolean {
  return wireTypeOf(field) !== WireType.LengthDelimited;
}

function readValue(reader: BinaryReader, { field, place }: Occurrence): unknown {
  switch (field.kind) {
    case "int":
      return Number(reader.int64());
    case "int64":
      return BigInt(reader.int64());
    case "uint64":
      return BigInt(reader.uint64());
    case "float":
      return reader.float();
    case "double":
      return reader.double();
    case "string":
      return reader.string();
    case "bytes":
      countPart(place);
      return reader.bytes();
    default:
      countPart(place);
      return decodeWithin(field.kind(), reader.bytes(), { ...place, depth: place.depth + 1 });
  }
}

function countPart({ budget }: Place): void {
  if (++budget.parts <= MAX_PARTS) return;
  throw new OutOfRangeError(`Cannot decode a message as it may have ${MAX_PARTS} parts: it has more`);
}
