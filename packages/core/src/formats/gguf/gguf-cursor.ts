import { FormatError } from "../../errors.ts";

/** Error of a cursor whose bytes end before the header does, so that more must be read. */
export class HeaderGoesOn extends Error {}

/** Reads numbers and texts of a GGUF header one after another, each checked against the end of the file. */
export class GgufCursor {
  /** Position of the next byte in the file. */
  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #size: number;
  readonly #source: string;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /**
   * @param bytes - the beginning of the file
   * @param position - where to begin
   * @param file - name and size of the whole file
   */
  constructor(bytes: Uint8Array, position: number, file: { readonly name: string; readonly size: number }) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
    this.#size = file.size;
    this.#source = file.name;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Reads a number of 1, 2, 4 or 8 bytes, with the method of DataView that reads it. */
  number<T>(bytes: number, read: (view: DataView, at: number) => T): T {
    return read(this.#view, this.#take(bytes));
  }

  /**
   * Reads a 64-bit count of the items that follow.
   * @param what - the items with their article, such as `its tensors`
   * @param leastBytes - minimum number of bytes of an item
   * @throws FormatError if the file is too short for so many items
   */
  count(what: string, leastBytes: number): number {
    const count = this.#view.getBigUint64(this.#take(8), true);
    const room = this.#size - this.position;
    if (count * BigInt(leastBytes) <= BigInt(room)) return Number(count);
    throw this.error(
      `the file must have room for ${what}: it claims ${count}, and has ${room} bytes left; it may be cut short`,
    );
  }

  /** Moves over bytes; returns the position of the first. */
  skip(bytes: number): number {
    return this.#take(bytes);
  }

  /** Reads a text in UTF-8 with its length before it. */
  text(what: string): string {
    const length = this.count(`the bytes of ${what}`, 1);
    const begin = this.#take(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(begin, begin + length));
    } catch (cause) {
      throw this.error(`${what} must be text in UTF-8: it is not`, cause);
    }
  }

  error(problem: string, cause?: unknown): FormatError {
    return new FormatError(`Cannot read "${this.#source}" as ${problem}`, { format: "gguf", cause });
  }

  /** Moves the position forward, and returns the previous position. */
  #take(bytes: number): number {
    const begin = this.position;
    if (begin + bytes > this.#size)
      throw this.error(
        `its header must fit the file: it goes on beyond byte ${begin} of ${this.#size}; the file may be cut short`,
      );
    if (begin + bytes > this.#bytes.length) throw new HeaderGoesOn();
    this.position += bytes;
    return begin;
  }
}
