import { crc32, inflateRaw, type UnpackOptions } from "@isthmus/platform";
import { FormatError, UnsupportedError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_INFLATION } from "../../io/limits.ts";
import type { ZipEntry } from "./zip-directory.ts";

/** Reads the whole content of one stored file of an archive. */
export async function readEntry(entry: ZipEntry, source: ByteSource): Promise<Uint8Array> {
  const out = new Uint8Array(entry.size);
  await openEntry(entry, source).readInto(0, out);
  return out;
}

/**
 * Reads the whole content of one file of an archive, which is stored or compressed by deflate.
 * @throws UnsupportedError if it is neither, or encrypted
 * @throws FormatError if the bytes are damaged, or their number differs from the directory
 */
export async function unpackEntry(entry: ZipEntry, source: ByteSource): Promise<Uint8Array> {
  if (entry.deflated) return inflateEntry(entry, source);
  if (entry.stored) return readEntry(entry, source);
  throw new UnsupportedError(
    `Cannot read "${source.name}" as arrays must be stored or compressed by deflate: "${entry.name}" is neither, or is encrypted`,
    { feature: "compression of a zip entry" },
  );
}

/** Access to the bytes of one stored file of the archive. */
export interface OpenEntry {
  /**
   * Fills `out` with bytes from `begin` on.
   * @throws FormatError if all bytes were read in order and do not match the checksum stored with them
   */
  readInto(begin: number, out: Uint8Array): Promise<void>;
}

/** Opens a file of the archive; the position of its bytes is determined at the first read. */
export function openEntry(entry: ZipEntry, source: ByteSource): OpenEntry {
  const checksum = new RunningChecksum(entry.size, entry.crc32);
  let place: Promise<number> | undefined;
  return {
    async readInto(begin, out) {
      place ??= entry.locate();
      await source.readInto((await place) + begin, out);
      if (checksum.update(begin, out)) return;
      throw damagedEntry(entry, source);
    },
  };
}

/**
 * Inflates only the beginning of a compressed file of an archive.
 * @param packed - the first compressed bytes, which may end within a symbol
 */
export function inflateBeginning(packed: Uint8Array, { name }: ZipEntry, source: ByteSource): Uint8Array {
  const maxOutputLength = packed.length * MAX_INFLATION;
  return inflate(packed, { maxOutputLength, isPart: true }, { name, source });
}

/**
 * Inflates a compressed file of an archive.
 * @throws FormatError if the bytes are damaged, or their number differs from the directory
 */
export async function inflateEntry(entry: ZipEntry, source: ByteSource): Promise<Uint8Array> {
  const begin = await entry.locate();
  const packed = await source.read(begin, begin + entry.packedSize);
  // One byte more than expected is allowed, so that an entry that is longer than it claims is detected.
  const bytes = inflate(packed, { maxOutputLength: entry.size + 1 }, { name: entry.name, source });
  if (bytes.length === entry.size && crc32(bytes) === entry.crc32) return bytes;
  throw damagedEntry(entry, source);
}

function inflate(
  packed: Uint8Array,
  options: UnpackOptions,
  { name, source }: { readonly name: string; readonly source: ByteSource },
): Uint8Array {
  try {
    return inflateRaw(packed, options);
  } catch (cause) {
    throw new FormatError(
      `Cannot read "${source.name}" as "${name}" must inflate to what the archive states: ${(cause as Error).message}`,
      { format: "zip", cause },
    );
  }
}

function damagedEntry({ name }: ZipEntry, source: ByteSource): FormatError {
  return new FormatError(
    `Cannot read "${source.name}" as "${name}" must be intact: its bytes do not have the checksum stored with them; copy or download the file again`,
    { format: "zip" },
  );
}

/**
 * Checksum of the bytes read from one file of an archive, compared with the stored CRC-32 after all bytes
 * were read in order; reads in another order are not checked. The checksum takes 0.15 s per gigabyte,
 * measured.
 */
class RunningChecksum {
  readonly #size: number;
  readonly #expected: number;
  #position = 0;
  #value = 0;

  /**
   * @param size - bytes of the file
   * @param expected - CRC-32 of the file; 0 if the writer computed none, which is an option of PyTorch
   */
  constructor(size: number, expected: number) {
    this.#size = size;
    this.#expected = expected;
  }

  /**
   * Adds bytes that were read.
   * @param begin - position in the file of the first byte
   * @returns false if the whole file has now been read and does not match the checksum
   */
  update(begin: number, bytes: Uint8Array): boolean {
    if (this.#expected === 0) return true;
    if (begin === 0) [this.#position, this.#value] = [0, 0];
    if (begin !== this.#position) return true;
    this.#value = crc32(bytes, this.#value);
    this.#position += bytes.length;
    return this.#position !== this.#size || this.#value === this.#expected;
  }
}
