// This reader is our own as libraries decode a whole file, with all arrays, into memory: @msgpack/msgpack
// makes 660 MB of a hostile file of 10 MB, and none skips the bytes of arrays to read them by range later.
import type { ByteSource } from "../../io/byte-source.ts";
import { formatErrors } from "../format-errors.ts";

export const flaxError: ReturnType<typeof formatErrors> = formatErrors("flax");

/** Number of bytes that are read at once; arrays are skipped, so that only heads are read. */
const BLOCK_BYTES = 4_096;

/** Kind of a value of MessagePack, with its length in bytes or entries, or the number itself. */
export type MsgpackHead =
  | { readonly kind: "map" | "array" | "str" | "bin"; readonly length: number }
  | { readonly kind: "ext"; readonly length: number; readonly type: number }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "other"; readonly length: number };

/** Kinds by their first byte, with the number of bytes of the length that follows. */
const SIZED: Readonly<Record<number, readonly ["map" | "array" | "str" | "bin" | "ext", number]>> = {
  196: ["bin", 1],
  197: ["bin", 2],
  198: ["bin", 4],
  199: ["ext", 1],
  200: ["ext", 2],
  201: ["ext", 4],
  217: ["str", 1],
  218: ["str", 2],
  219: ["str", 4],
  220: ["array", 2],
  221: ["array", 4],
  222: ["map", 2],
  223: ["map", 4],
};

/** Bytes of floats and integers by their first byte. */
const NUMBERS: Readonly<Record<number, number>> = {
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
};

/** A position in a file of MessagePack, at which heads of values are read one after the other. */
export class MsgpackCursor {
  offset: number;
  readonly source: ByteSource;
  readonly #end: number;
  #block: Uint8Array = new Uint8Array(0);
  #begin = 0;

  /** @param end - position after the last byte that may be read */
  constructor(source: ByteSource, offset = 0, end: number = source.size) {
    this.source = source;
    this.offset = offset;
    this.#end = end;
  }

  /** Reads the head of the value at this position, and moves behind it. */
  async head(): Promise<MsgpackHead> {
    const code = await this.#unsigned(1);
    if (code < 0x80) return { kind: "int", value: code };
    if (code < 0x90) return { kind: "map", length: code & 15 };
    if (code < 0xa0) return { kind: "array", length: code & 15 };
    if (code < 0xc0) return { kind: "str", length: code & 31 };
    const sized = SIZED[code];
    if (sized !== undefined) {
      const length = await this.#unsigned(sized[1]);
      return sized[0] === "ext"
        ? { kind: "ext", length, type: await this.#unsigned(1) }
        : { kind: sized[0], length };
    }
    if (code >= 212 && code <= 216)
      return { kind: "ext", length: 2 ** (code - 212), type: await this.#unsigned(1) };
    const bytes = NUMBERS[code];
    // Unsigned integers are counts; signed ones and floats are skipped.
    if (bytes !== undefined && code >= 204 && code <= 207)
      return { kind: "int", value: await this.#unsigned(bytes) };
    if (bytes !== undefined) return { kind: "other", length: bytes };
    if (code === 0xc1)
      throw flaxError(this.source, `it must be MessagePack: byte ${this.offset - 1} begins no value`);
    return { kind: "other", length: 0 };
  }

  /** Reads text of some bytes. */
  async text(length: number): Promise<string> {
    return new TextDecoder().decode(await this.#take(length));
  }

  /** Moves behind some bytes, without reading them. */
  skip(length: number): void {
    if (length > this.#end - this.offset)
      throw flaxError(
        this.source,
        `it must hold what it claims: byte ${this.offset} claims ${length} bytes of ${this.#end - this.offset}`,
      );
    this.offset += length;
  }

  async #unsigned(bytes: number): Promise<number> {
    let value = 0;
    for (const byte of await this.#take(bytes)) value = value * 256 + byte;
    return value;
  }

  async #take(length: number): Promise<Uint8Array> {
    const begin = this.offset;
    this.skip(length);
    if (begin < this.#begin || begin + length > this.#begin + this.#block.length) {
      const until = Math.min(this.#end, begin + Math.max(length, BLOCK_BYTES));
      this.#block = await this.source.read(begin, until);
      this.#begin = begin;
    }
    return this.#block.subarray(begin - this.#begin, begin - this.#begin + length);
  }
}
