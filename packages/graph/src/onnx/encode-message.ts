import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Field, Schema } from "./schema.ts";
import { wireTypeOf } from "./wire-type.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Encodes one protobuf message by its schema, fields in the order of their numbers. */
export function encodeMessage(schema: Schema, message: object): Uint8Array {
  const writer = new BinaryWriter();
  writeMessage(writer, schema, message as Record<string, unknown>);
  return writer.finish();
}

function writeMessage(writer: BinaryWriter, schema: Schema, message: Record<string, unknown>): void {
  for (const [number, field] of Object.entries(schema)) {
    const value = message[field.name];
    if (value === undefined) continue;
    const values = field.repeated === true ? (value as readonly unknown[]) : [value];
    for (const item of values) writeField(writer, { number: Number(number), field }, item);
  }
}

function writeField(writer: BinaryWriter, place: { number: number; field: Field }, value: unknown): void {
  const { kind } = place.field;
  if (typeof kind === "function") {
    writer.tag(place.number, WireType.LengthDelimited).fork();
    writeMessage(writer, kind(), value as Record<string, unknown>);
    writer.join();
    return;
  }
  writer.tag(place.number, wireTypeOf(place.field));
  if (kind === "string") writer.string(value as string);
  else if (kind === "bytes") writer.bytes(value as Uint8Array);
  else if (kind === "float") writer.float(value as number);
  else if (kind === "double") writer.double(value as number);
  else if (kind === "uint64") writer.uint64(value as bigint);
  else writer.int64(clampToInt64(BigInt(value as number | bigint)));
}

/**
 * Limits a number to 64-bit integers: exporters write the largest integer for "to the end", which is one too
 * large after rounding to a double.
 */
function clampToInt64(value: bigint): bigint {
  if (value > INT64_MAX) return INT64_MAX;
  return value < INT64_MIN ? INT64_MIN : value;
}
