import { decodeLatin1 } from "@isthmus/platform";
import { FormatError } from "../../../errors.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NEWLINE = 0x0a;

/** Error for a pickle whose bytes end too early; a caller that can read more bytes may try again. */
export class TruncatedError extends FormatError {}

/**
 * A position in bytes, from which little-endian values are read one after the other, never beyond the end.
 */
export class ByteCursor {
  readonly name: string;
  /** Position of the next byte. */
  offset: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, name: string, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.name = name;
    this.offset = offset;
  }

  /** Moves past `count` bytes and returns the position where they begin. */
  #take(count: number): number {
    const begin = this.offset;
    const left = this.#bytes.length - begin;
    if (count > left) {
      throw new TruncatedError(
        `Cannot read the pickle of "${this.name}" as it must hold what it claims: byte ${begin} claims ${count} bytes of ${left}`,
        { format: "pickle" },
      );
    }
    this.offset = begin + count;
    return begin;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** Reads a 64-bit length; a length beyond 2^53 is rounded, as it exceeds any file. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** Reads a big-endian double, as pickle stores them. */
  f64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** Reads a two's-complement integer of `width` bytes. */
  integer(width: number): number | bigint {
    let value = 0n;
    const begin = this.#take(width);
    for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#view.getUint8(begin + i));
    const signed = BigInt.asIntN(8 * width, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  /** Reads bytes; the result shares memory with the bytes of the cursor. */
  bytes(count: number): Uint8Array {
    const begin = this.#take(count);
    return this.#bytes.subarray(begin, begin + count);
  }

  latin1(count: number): string {
    return decodeLatin1(this.bytes(count));
  }

  utf8(count: number): string {
    const bytes = this.bytes(count);
    try {
      return UTF8.decode(bytes);
    } catch (cause) {
      throw new FormatError(
        `Cannot read the pickle of "${this.name}" as its strings must be UTF-8: one is not`,
        {
          format: "pickle",
          cause,
        },
      );
    }
  }

  /** Reads text up to the next line break, which is skipped. */
  line(): string {
    const end = this.#bytes.indexOf(NEWLINE, this.offset);
    const text = this.utf8((end < 0 ? this.#bytes.length + 1 : end) - this.offset);
    this.offset++;
    return text;
  }
}
