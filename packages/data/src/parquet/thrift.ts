import { FormatError } from "@isthmus/core";

/** A struct of Thrift: its values by the numbers of their fields. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

/** A value of Thrift. */
export type ThriftValue = number | boolean | Uint8Array | readonly ThriftValue[] | ThriftStruct;

/** Error for bytes that end before the struct does; a caller that can read more bytes may try again. */
export class ThriftEndError extends FormatError {}

/**
 * Maximum number of structs of one message, as a struct can take a hundred times the memory of its one byte.
 */
const MOST_STRUCTS = 2 ** 18;
/** Maximum nesting of structs and lists; headers of Parquet are 7 deep. */
const MOST_LEVELS = 24;

/**
 * Decodes a struct of Thrift's compact protocol, which encodes the headers of Parquet.
 * @param source - name for messages
 * @returns the struct, and its length in bytes
 * @throws FormatError if the struct is damaged, or exceeds the bytes
 */
export function decodeThrift(
  bytes: Uint8Array,
  source: string,
): { readonly struct: ThriftStruct; readonly length: number } {
  const reader = new ThriftReader(bytes, source);
  return { struct: reader.struct(0), length: reader.offset };
}

class ThriftReader {
  offset = 0;
  readonly #bytes: Uint8Array;
  readonly #source: string;
  #structs = 0;

  constructor(bytes: Uint8Array, source: string) {
    this.#bytes = bytes;
    this.#source = source;
  }

  struct(level: number): ThriftStruct {
    if (++this.#structs > MOST_STRUCTS) throw this.#error(`may have ${MOST_STRUCTS} structs: it has more`);
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (;;) {
      const head = this.#byte();
      const type = head & 15;
      if (type === 0) return fields;
      const delta = head >> 4;
      id = delta === 0 ? this.#integer() : id + delta;
      fields.set(id, type <= 2 ? type === 1 : this.#value(type, level));
    }
  }

  #value(type: number, level: number): ThriftValue {
    if (level > MOST_LEVELS) throw this.#error(`may be ${MOST_LEVELS} structs deep: it is deeper`);
    switch (type) {
      case 1: // Within lists a truth value takes a byte.
      case 2:
        return this.#byte() === 1;
      case 3:
        return (this.#byte() << 24) >> 24;
      case 4:
      case 5:
      case 6:
        return this.#integer();
      case 7:
        this.#take(8);
        return Number.NaN; // No header of Parquet that we read has one.
      case 8:
        return this.#take(this.#length());
      case 9:
      case 10:
        return this.#list(level);
      case 12:
        return this.struct(level + 1);
      default:
        throw this.#error(`has a value of type ${type}, which no header has`);
    }
  }

  #list(level: number): ThriftValue[] {
    const head = this.#byte();
    const size = head >> 4 === 15 ? this.#length() : head >> 4;
    // Every element takes at least one byte.
    if (size > this.#bytes.length - this.offset) throw this.#end();
    return Array.from({ length: size }, () => this.#value(head & 15, level + 1));
  }

  /** Reads a number of at most 64 bits; numbers beyond 2^53 are rounded, as they exceed any file. */
  #varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 70; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw this.#error("has a number of more than 64 bits");
  }

  #integer(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #length(): number {
    return this.#varint();
  }

  #byte(): number {
    const [byte] = this.#take(1);
    return byte as number;
  }

  #take(count: number): Uint8Array {
    const begin = this.offset;
    if (count > this.#bytes.length - begin) throw this.#end();
    this.offset = begin + count;
    return this.#bytes.subarray(begin, this.offset);
  }

  #end(): ThriftEndError {
    return new ThriftEndError(
      `Cannot read "${this.#source}" as its headers must be whole: one ends within ${this.#bytes.length} bytes`,
      { format: "parquet" },
    );
  }

  #error(problem: string): FormatError {
    return new FormatError(`Cannot read "${this.#source}" as its headers must be Parquet's: one ${problem}`, {
      format: "parquet",
    });
  }
}
