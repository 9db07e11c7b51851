import {
  type Entry,
  fromRandomAccessReaderPromise,
  getFileNameLowLevel,
  RandomAccessReader,
  type ZipFile,
} from "yauzl";
import { FormatError, type IsthmusError, isIsthmusError, UnsupportedError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_INFLATION, MAX_ZIP_ENTRIES } from "../../io/limits.ts";
import { messageOf } from "../../io/system-error.ts";

/** Size in bytes of the blocks in which the directory is read, from its first entry to its last. */
const BLOCK_BYTES = 256 * 1024;

/** A file within a zip archive. */
export interface ZipEntry {
  /** Path of the file in the archive. */
  readonly name: string;
  /** Number of bytes of the file, after decompression if it is compressed. */
  readonly size: number;
  /** Whether the file is neither compressed nor encrypted, so that it can be read by range. */
  readonly stored: boolean;
  /** Whether the file is compressed by deflate and not encrypted. */
  readonly deflated: boolean;
  /** Number of bytes that the file takes in the archive. */
  readonly packedSize: number;
  /** CRC-32 of the file's bytes; 0 if the writer computed none. */
  readonly crc32: number;
  /**
   * Finds the position of the file's first byte in the archive.
   * @throws FormatError if the header before the bytes names another file
   */
  locate(): Promise<number>;
}

/**
 * Reads the directory of a zip archive.
 * @throws FormatError if the archive is damaged, two files have the same name or the same bytes, or a file
 *   takes more bytes than the archive has.
 */
export async function readZipDirectory(source: ByteSource): Promise<Map<string, ZipEntry>> {
  try {
    const reader = new SourceReader(source);
    const zip = await fromRandomAccessReaderPromise(reader, source.size, {
      autoClose: false,
      decodeStrings: false,
    });
    const entries = await readEntries(zip, source);
    // From now on only single headers are read.
    reader.readsAhead = false;
    return entries;
  } catch (error) {
    throw asFormatError(error, source);
  }
}

function asFormatError(error: unknown, source: ByteSource): IsthmusError {
  if (isIsthmusError(error)) return error;
  return new FormatError(
    `Cannot read "${source.name}" as it must be a whole zip archive: ${messageOf(error)}`,
    {
      format: "zip",
      cause: error,
    },
  );
}

async function readEntries(zip: ZipFile, source: ByteSource): Promise<Map<string, ZipEntry>> {
  if (zip.entryCount > MAX_ZIP_ENTRIES) {
    throw formatError(source, `may hold at most ${MAX_ZIP_ENTRIES} files: it claims ${zip.entryCount}`);
  }
  const listed: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    // Names are decoded here, as yauzl refuses names that are not safe paths; none is used as a path.
    const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry;
    entry.fileName = getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
    listed.push(entry);
  }
  const overlap = findOverlap(listed);
  if (overlap !== undefined) {
    throw formatError(
      source,
      `must not store two files in the same bytes: "${overlap[0]}" and "${overlap[1]}" are`,
    );
  }
  const entries = new Map<string, ZipEntry>();
  for (const entry of listed) {
    const { fileName: name } = entry;
    if (entries.has(name))
      throw formatError(source, `must not hold two files of one name: "${name}" is there twice`);
    entries.set(name, describeEntry(entry, zip, source));
  }
  return entries;
}

function describeEntry(entry: Entry, zip: ZipFile, source: ByteSource): ZipEntry {
  const { fileName: name, uncompressedSize: size, compressedSize: packedSize, crc32 } = entry;
  const deflated = entry.compressionMethod === 8 && !entry.isEncrypted();
  const stored = entry.compressionMethod === 0 && !entry.isEncrypted();
  if (stored && size > source.size) {
    throw formatError(source, `cannot hold "${name}": it claims ${size} bytes of ${source.size}`);
  }
  if (deflated && size > Math.min(packedSize, source.size) * MAX_INFLATION) {
    throw formatError(source, `cannot hold "${name}": it claims ${size} bytes, compressed to ${packedSize}`);
  }
  const locate = async (): Promise<number> => {
    const header = await zip.readLocalFileHeaderPromise(entry, { minimal: false }).catch((error: unknown) => {
      throw asFormatError(error, source);
    });
    if (Buffer.compare(header.fileName, entry.fileNameRaw) === 0) return header.fileDataStart;
    throw formatError(
      source,
      `must name a file alike in both places: "${name}" is "${header.fileName}" in the other`,
    );
  };
  return { name, size, stored, deflated, packedSize, crc32, locate };
}

/**
 * Checks that a file is uncompressed, as PyTorch stores it; the content of a compressed file could exceed any
 * memory.
 * @throws UnsupportedError if the file is compressed or encrypted.
 */
export function assertStored({ name, size, stored }: ZipEntry, source: ByteSource): void {
  if (stored) return;
  throw new UnsupportedError(
    `Cannot read "${source.name}" as the files in the archive must be stored as they are: "${name}" (${size} bytes) is ` +
      "compressed or encrypted; load it in PyTorch and save it again",
    { feature: "compressed zip entries" },
  );
}

function formatError(source: ByteSource, problem: string): FormatError {
  return new FormatError(`Cannot read "${source.name}" as the archive ${problem}`, { format: "zip" });
}

/** Reader that gives yauzl access to a source, one block at a time. */
class SourceReader extends RandomAccessReader {
  /** Whether a whole block is read if fewer bytes are requested. */
  readsAhead = true;
  readonly #source: ByteSource;
  #block: Uint8Array = new Uint8Array(0);
  #begin = 0;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    ...[buffer, offset, length, position, callback]: Parameters<RandomAccessReader["read"]>
  ): void {
    this.#load(position, position + length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        callback(null);
      },
      (error: unknown) => callback(error instanceof Error ? error : asFormatError(error, this.#source)),
    );
  }

  async #load(begin: number, end: number): Promise<Uint8Array> {
    if (begin < this.#begin || end > this.#begin + this.#block.length) {
      const last = this.readsAhead ? Math.max(end, Math.min(begin + BLOCK_BYTES, this.#source.size)) : end;
      this.#block = await this.#source.read(begin, last);
      this.#begin = begin;
    }
    return this.#block.subarray(begin - this.#begin, end - this.#begin);
  }
}

/** Position of a file in a zip archive, as the directory states it. */
export interface ZipPlace {
  /** Path of the file in the archive. */
  readonly fileName: string;
  /** Length of the name in bytes; the name is stored again before the file. */
  readonly fileNameLength: number;
  /** Position of the header before the file. */
  readonly relativeOffsetOfLocalHeader: number;
  /** Number of bytes that the file takes in the archive. */
  readonly compressedSize: number;
}

/** Number of header bytes before the name of a file. */
const LOCAL_HEADER_BYTES = 30;

/**
 * Finds two files of an archive that share bytes. Honest archives have no such files; a hostile archive can
 * thus claim far more content than it has bytes.
 * @returns the names of both files, or undefined
 */
export function findOverlap(places: readonly ZipPlace[]): readonly [string, string] | undefined {
  const sorted = [...places].sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  for (const [i, { fileName, ...place }] of sorted.entries()) {
    const { relativeOffsetOfLocalHeader: begin, fileNameLength, compressedSize } = place;
    const next = sorted[i + 1];
    const end = begin + LOCAL_HEADER_BYTES + fileNameLength + compressedSize;
    if (next !== undefined && end > next.relativeOffsetOfLocalHeader) return [fileName, next.fileName];
  }
  return undefined;
}
