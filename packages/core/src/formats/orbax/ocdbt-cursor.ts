import { crc32c, decodeLatin1 } from "@isthmus/platform";
import { UnsupportedError } from "../../errors.ts";
import { at } from "../../invariant.ts";
import { MAX_INDEX_BYTES } from "../../io/limits.ts";
import { formatErrors } from "../format-errors.ts";
import { unpackBytes } from "./unpack-bytes.ts";

export const ocdbtError: ReturnType<typeof formatErrors> = formatErrors("ocdbt");

/** Bytes of the magic number, the length, a version and a compression before, and of the checksum after. */
const [HEAD_BYTES, FOOT_BYTES] = [14, 4] as const;

/** Longest path or key in bytes: Orbax makes them of names of parameters. */
const MAX_NAME_BYTES = 4_096;

/** A position in the unpacked bytes of a block of an OCDBT database, at which values are read in order. */
export class OcdbtCursor {
  readonly #bytes: Uint8Array;
  readonly #name: string;
  #offset = 0;

  /** @param name - name of the file, for messages */
  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  /** Reads some bytes, which share memory with the block. */
  take(length: number): Uint8Array {
    const end = this.#offset + length;
    if (!(end <= this.#bytes.length))
      throw ocdbtError(
        this.#name,
        `a block must hold what it claims: ${length} bytes from byte ${this.#offset} of ${this.#bytes.length}`,
      );
    const begin = this.#offset;
    this.#offset = end;
    return this.#bytes.subarray(begin, end);
  }

  byte(): number {
    return at(this.take(1), 0);
  }

  /** Reads an unsigned number, 7 bits in a byte, the lowest first; one beyond 2^53 is rounded. */
  count(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 64; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw ocdbtError(this.#name, `a number may have 64 bits: one before byte ${this.#offset} has more`);
  }

  /** Reads a number of entries, each of which takes at least a byte of the rest of the block. */
  entries(): number {
    const count = this.count();
    if (count > this.#bytes.length - this.#offset)
      throw ocdbtError(this.#name, `a block must hold its entries: it claims ${count} of them`);
    return count;
  }

  /** Reads a column: one value for each of some entries. */
  column(length: number, read: () => number = () => this.count()): number[] {
    return Array.from({ length }, read);
  }

  /**
   * Reads names, of which each begins with some bytes of the one before, in Latin-1.
   * @param shared - number of those bytes, for each text but the first
   * @param rest - number of the bytes that follow, for each text
   */
  names(shared: readonly number[], rest: readonly number[]): string[] {
    let last = new Uint8Array(0);
    return rest.map((length, i) => {
      const start = i === 0 ? 0 : at(shared, i - 1);
      if (start > last.length || start + length > MAX_NAME_BYTES)
        throw ocdbtError(
          this.#name,
          `a name may have ${MAX_NAME_BYTES} bytes, and begin as the one before: one of ${start} and ${length} bytes does not`,
        );
      const name = new Uint8Array(start + length);
      name.set(last.subarray(0, start));
      name.set(this.take(length), start);
      last = name;
      return decodeLatin1(name);
    });
  }
}

/**
 * Checks the head, length and checksum of a block, and unpacks it.
 * @param magic - number with which blocks of this kind begin
 * @param name - name of the file, for messages
 */
export async function openBlock(bytes: Uint8Array, magic: number, name: string): Promise<OcdbtCursor> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEAD_BYTES + FOOT_BYTES || view.getUint32(0) !== magic)
    throw ocdbtError(
      name,
      `a block of ${bytes.length} bytes must begin with ${magic.toString(16)}: it does not`,
    );
  const length = Number(view.getBigUint64(4, true));
  if (length !== bytes.length)
    throw ocdbtError(name, `a block must be as long as it says, ${length} bytes: it has ${bytes.length}`);
  const end = bytes.length - FOOT_BYTES;
  if (view.getUint32(end, true) !== crc32c(bytes.subarray(0, end)))
    throw ocdbtError(
      name,
      "its blocks must have the checksums that they state: one differs, so it is damaged",
    );
  const [version, compression] = [view.getUint8(12), view.getUint8(13)];
  if (version !== 0 || compression > 1)
    throw new UnsupportedError(
      `Cannot read "${name}" as version 0 of OCDBT is handled, plain or packed by Zstandard: it has version ${version} and method ${compression}`,
      { feature: "OCDBT" },
    );
  const body = bytes.subarray(HEAD_BYTES, end);
  const unpacked =
    compression === 0
      ? body
      : await unpackBytes("zstd", body, { name, fail: ocdbtError, most: MAX_INDEX_BYTES });
  return new OcdbtCursor(unpacked, name);
}
