import { FormatError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";

/** Number of bytes that are read at once while fields are skipped. */
const WINDOW_BYTES = 64 * 1024;

/** Maximum size of a tag and a number after it, in bytes. */
const MAX_FIELD_BYTES = 20;

/** A field of a protobuf message in a file. */
export interface ProtoField {
  /** Number of the field in the definition of its message. */
  readonly number: number;
  /** Wire type: 0 for a varint, 1 for 8 bytes, 2 for bytes with a length, 5 for 4 bytes. */
  readonly wire: number;
  /** Value of a varint; 0 for others. */
  readonly value: bigint;
  /** Position of the first byte of the value. */
  readonly begin: number;
  /** Position after the last byte of the value. */
  readonly end: number;
}

/**
 * Walks over the fields of protobuf messages in a file, without reading the bytes of fields: a model of 2 GB
 * is walked over in a few reads.
 */
export class ProtoWalker {
  /** Name of the file for messages. */
  readonly name: string;
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #begin = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.name = source.name;
  }

  /**
   * Lists the fields of the message in bytes `[begin, end)`.
   * @throws FormatError if a field is malformed or ends after `end`
   */
  async *fields(begin: number, end: number): AsyncGenerator<ProtoField> {
    for (let at = begin; at < end; ) {
      if (!this.#has(at, Math.min(at + MAX_FIELD_BYTES, end))) await this.#load(at);
      const field = this.#readField(at, end);
      yield field;
      at = field.end;
    }
  }

  /** Reads the bytes of a field; fails if there are more than `most`. */
  async bytes({ begin, end }: ProtoField, most: number): Promise<Uint8Array> {
    if (end - begin > most) throw this.error(`a field may have at most ${most} bytes: it has ${end - begin}`);
    if (this.#has(begin, end)) return this.#window.slice(begin - this.#begin, end - this.#begin);
    return this.#source.read(begin, end);
  }

  /** Makes the error for a file that violates a rule of its format. */
  error(problem: string): FormatError {
    return new FormatError(`Cannot read "${this.name}" as ${problem}`, { format: "onnx" });
  }

  #has(begin: number, end: number): boolean {
    return begin >= this.#begin && end <= this.#begin + this.#window.length;
  }

  async #load(begin: number): Promise<void> {
    this.#window = await this.#source.read(begin, Math.min(begin + WINDOW_BYTES, this.#source.size));
    this.#begin = begin;
  }

  #readField(at: number, limit: number): ProtoField {
    const tag = this.#varint(at, limit);
    const [number, wire] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
    if (number < 1 || number >= 2 ** 29)
      throw this.error(`a field must have a number: at byte ${at} is none`);
    if (wire === 0) {
      const { value, end } = this.#varint(tag.end, limit);
      return { number, wire, value, begin: tag.end, end };
    }
    const { begin, length } = this.#extentOf(wire, tag.end, limit);
    if (length > BigInt(limit - begin))
      throw this.error(`a field must end within its message: at byte ${at} is one of ${length} bytes`);
    return { number, wire, value: 0n, begin, end: begin + Number(length) };
  }

  #extentOf(wire: number, at: number, limit: number): { readonly begin: number; readonly length: bigint } {
    if (wire === 1) return { begin: at, length: 8n };
    if (wire === 5) return { begin: at, length: 4n };
    if (wire !== 2)
      throw this.error(`a field must have a known type of storage: before byte ${at} is ${wire}`);
    const { value, end } = this.#varint(at, limit);
    return { begin: end, length: value };
  }

  #varint(at: number, limit: number): { readonly value: bigint; readonly end: number } {
    let low = 0;
    for (let i = 0; i < 10 && at + i < limit; i++) {
      const byte = this.#window[at + i - this.#begin];
      if (byte === undefined) break;
      if (i >= 4) return this.#longVarint(at, limit);
      low += (byte & 0x7f) * 128 ** i;
      if (byte < 0x80) return { value: BigInt(low), end: at + i + 1 };
    }
    throw this.error(
      `a number must end within its message: at byte ${at} one does not; the file may be cut short`,
    );
  }

  #longVarint(at: number, limit: number): { readonly value: bigint; readonly end: number } {
    let value = 0n;
    for (let i = 0; i < 10 && at + i < limit; i++) {
      const byte = this.#window[at + i - this.#begin];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: at + i + 1 };
    }
    throw this.error(
      `a number must end within its message: at byte ${at} one does not; the file may be cut short`,
    );
  }
}

/** Decodes the varints of packed numbers, each as a whole number of 64 bits with a sign. */
export function* unpackVarints(bytes: Uint8Array): Generator<bigint> {
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80 && shift < 70n) continue;
    yield BigInt.asIntN(64, value);
    [value, shift] = [0n, 0n];
  }
}
