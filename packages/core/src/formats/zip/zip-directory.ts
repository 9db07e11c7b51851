import { UnsupportedError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_INFLATION, MAX_ZIP_ENTRIES } from "../../io/limits.ts";
import {
  type Archive,
  type DirectoryEntry,
  damagedArchive,
  findDirectory,
  locateFile,
  readDirectory,
} from "./directory-records.ts";

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
  const archive = { name: source.name, size: source.size, read: readAhead(source) };
  const place = await findDirectory(archive);
  if (place.count > MAX_ZIP_ENTRIES)
    throw damagedArchive(source, `may hold at most ${MAX_ZIP_ENTRIES} files: it claims ${place.count}`);
  const listed: DirectoryEntry[] = [];
  for await (const entry of readDirectory(archive, place)) listed.push(entry);
  return describeEntries(listed, source);
}

function describeEntries(listed: readonly DirectoryEntry[], source: ByteSource): Map<string, ZipEntry> {
  const overlap = findOverlap(listed);
  if (overlap !== undefined) {
    throw damagedArchive(
      source,
      `must not store two files in the same bytes: "${overlap[0]}" and "${overlap[1]}" are`,
    );
  }
  const entries = new Map<string, ZipEntry>();
  for (const entry of listed) {
    const { fileName: name } = entry;
    if (entries.has(name))
      throw damagedArchive(source, `must not hold two files of one name: "${name}" is there twice`);
    entries.set(name, describeEntry(entry, source));
  }
  return entries;
}

function describeEntry(entry: DirectoryEntry, source: ByteSource): ZipEntry {
  const { fileName: name, uncompressedSize: size, compressedSize: packedSize, crc32 } = entry;
  const deflated = entry.method === 8 && !entry.isEncrypted;
  const stored = entry.method === 0 && !entry.isEncrypted;
  if (stored && size > source.size) {
    throw damagedArchive(source, `cannot hold "${name}": it claims ${size} bytes of ${source.size}`);
  }
  if (deflated && size > Math.min(packedSize, source.size) * MAX_INFLATION) {
    throw damagedArchive(
      source,
      `cannot hold "${name}": it claims ${size} bytes, compressed to ${packedSize}`,
    );
  }
  // Only headers are read here, and no blocks, most of which nobody would need.
  const read: Archive["read"] = (begin, length) => source.read(begin, begin + length);
  const locate = (): Promise<number> => locateFile({ name: source.name, size: source.size, read }, entry);
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

/** Makes a function that reads small parts of a source, one after the other, from whole blocks. */
function readAhead(source: ByteSource): Archive["read"] {
  let block: Uint8Array = new Uint8Array(0);
  let blockBegin = 0;
  return async (begin, length) => {
    const end = begin + length;
    if (begin < blockBegin || end > blockBegin + block.length) {
      block = await source.read(begin, Math.max(end, Math.min(begin + BLOCK_BYTES, source.size)));
      blockBegin = begin;
    }
    return block.subarray(begin - blockBegin, end - blockBegin);
  };
}

/** Position of a file in a zip archive, as the directory states it. */
export interface ZipPlace {
  /** Path of the file in the archive. */
  readonly fileName: string;
  /** Path as bytes, which stand again before the file. */
  readonly nameBytes: Uint8Array;
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
    const { relativeOffsetOfLocalHeader: begin, nameBytes, compressedSize } = place;
    const next = sorted[i + 1];
    const end = begin + LOCAL_HEADER_BYTES + nameBytes.length + compressedSize;
    if (next !== undefined && end > next.relativeOffsetOfLocalHeader) return [fileName, next.fileName];
  }
  return undefined;
}
