import type { Dice } from "../dice.ts";
import { mutateBytes } from "./mutate-bytes.ts";

/** A field of a protobuf message; bytes that are a message themselves have its fields beside them. */
interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: bigint;
  readonly bytes: Buffer;
  readonly fields: Field[] | undefined;
}

/** A message as the tree of its fields. */
export type Message = readonly Field[];

/** Reads a message without a schema: what may be a message within is taken for one. */
export function parseMessage(bytes: Buffer, depth = 0): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    if (tag === undefined) return undefined;
    const [number, wire] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
    const read = number < 1 || number > 1000 ? undefined : readValue(bytes, tag.end, wire);
    if (read === undefined || read.end > bytes.length) return undefined;
    const content = Buffer.from(read.bytes);
    const isNested = wire === 2 && depth < 8 && content.length > 1;
    const fieldsWithin = isNested ? parseMessage(content, depth + 1) : undefined;
    fields.push({ number, wire, value: read.value, bytes: content, fields: fieldsWithin });
    at = read.end;
  }
  return fields;
}

/** Changes the tree of a message in one to three places, and writes it with lengths that fit. */
export function mutateMessage(dice: Dice, message: Message): Buffer {
  const changed = copyOf(message);
  for (let round = 1 + dice.below(3); round > 0; round--) {
    const places = placesOf(changed);
    if (places.length === 0) break;
    const { list, index } = dice.pick(places);
    dice.pick(CHANGES)(dice, list, index, places);
  }
  return writeMessage(changed);
}

interface FieldPlace {
  readonly list: Field[];
  readonly index: number;
}

type Change = (dice: Dice, list: Field[], index: number, places: readonly FieldPlace[]) => void;

const NUMBERS = [
  0n,
  1n,
  2n,
  7n,
  127n,
  255n,
  65535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const CHANGES: readonly Change[] = [
  (_, list, index) => void list.splice(index, 1),
  (_, list, index) => void list.splice(index, 0, ...copyOf(list.slice(index, index + 1))),
  (dice, list, index) => replace(list, index, { number: 1 + dice.below(25) }),
  (dice, list, index) => {
    const { wire, value } = list[index] as Field;
    if (wire === 0) replace(list, index, { value: dice.chance(0.7) ? dice.pick(NUMBERS) : value + 1n });
    else changeContent(dice, list, index);
  },
  (dice, list, index) => changeContent(dice, list, index),
  (dice, list, index, places) => {
    const from = dice.pick(places);
    const [copy] = copyOf(from.list.slice(from.index, from.index + 1));
    // Copies of copies would fill the memory of the fuzzer.
    if (copy !== undefined && copy.bytes.length < 50_000)
      list[index] = { ...copy, number: (list[index] as Field).number };
  },
];

function replace(list: Field[], index: number, change: Partial<Field>): void {
  list[index] = { ...(list[index] as Field), ...change };
}

/** Fields of fixed width keep it. */
function changeContent(dice: Dice, list: Field[], index: number): void {
  const { wire, bytes, fields } = list[index] as Field;
  const content = mutateBytes(dice, fields === undefined ? bytes : writeMessage(fields));
  const width = wire === 5 ? 4 : wire === 1 ? 8 : content.length;
  const fitting = Buffer.alloc(width);
  content.copy(fitting);
  replace(list, index, { bytes: fitting, fields: undefined });
}

function copyOf(message: Message): Field[] {
  return message.map((field) => ({ ...field, fields: field.fields && copyOf(field.fields) }));
}

function placesOf(list: Field[], places: FieldPlace[] = []): FieldPlace[] {
  list.forEach(({ fields }, index) => {
    places.push({ list, index });
    if (fields !== undefined) placesOf(fields, places);
  });
  return places;
}

function writeMessage(message: Message): Buffer {
  return Buffer.concat(
    message.flatMap(({ number, wire, value, bytes, fields }) => {
      const tag = writeVarint((BigInt(number) << 3n) | BigInt(wire));
      if (wire === 0) return [tag, writeVarint(value)];
      const content = fields === undefined ? bytes : writeMessage(fields);
      return wire === 2 ? [tag, writeVarint(BigInt(content.length)), content] : [tag, content];
    }),
  );
}

function readValue(
  bytes: Buffer,
  at: number,
  wire: number,
): { readonly value: bigint; readonly bytes: Buffer; readonly end: number } | undefined {
  const empty = Buffer.alloc(0);
  if (wire === 1) return { value: 0n, bytes: bytes.subarray(at, at + 8), end: at + 8 };
  if (wire === 5) return { value: 0n, bytes: bytes.subarray(at, at + 4), end: at + 4 };
  if (wire !== 0 && wire !== 2) return undefined;
  const number = readVarint(bytes, at);
  if (number === undefined) return undefined;
  if (wire === 0) return { value: number.value, bytes: empty, end: number.end };
  const end = number.end + Number(number.value);
  return { value: 0n, bytes: bytes.subarray(number.end, end), end };
}

function readVarint(bytes: Buffer, at: number): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return undefined;
}

function writeVarint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}
