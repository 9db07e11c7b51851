import { concatBytes, encodeUtf8 } from "@isthmus/platform";
/** Maximum length of the name of a file in an archive, in bytes. */
export const MAX_NAME_BYTES = 65_535;

/** Number from which on sizes and positions are in 64-bit fields. */
const LIMIT = 0xffff_ffff;

/** Number from which on the count of files is in a 64-bit field. */
const COUNT_LIMIT = 0xffff;

/** Flag for names in UTF-8. */
const UTF8 = 0x800;

/** Fixed date, 1 January 1980, the first day of zip, so that the same tensors give the same bytes. */
const DAY = 0x21;

/** A file that is stored in an archive without compression. */
export interface StoredFile {
  /** Path of the file in the archive. */
  readonly name: string;
  /** Size of the file in bytes. */
  readonly size: number;
  /** CRC-32 of the file's bytes; 0 until it is known. */
  readonly crc32: number;
}

/** A file that was written, and the position of its header. */
export interface WrittenEntry extends StoredFile {
  /** Position of the header before the file. */
  readonly begin: number;
}

/**
 * Encodes the header before a stored file; its length does not depend on the checksum.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.7
 */
export function encodeLocalHeader(file: StoredFile): Uint8Array {
  const wide = file.size >= LIMIT ? encodeWide([file.size, file.size]) : new Uint8Array(0);
  const head = new DataView(new ArrayBuffer(30));
  head.setUint32(0, 0x04034b50, true);
  writeCommon(head, 4, file, wide);
  return concatBytes([bytesOf(head), encodeUtf8(file.name), wide]);
}

/**
 * Encodes the directory of an archive, and the end record after it.
 * @param begin - position of the directory
 */
export function encodeDirectory(entries: readonly WrittenEntry[], begin: number): Uint8Array {
  const parts = entries.map(encodeEntry);
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const isWide = begin + size >= LIMIT || entries.length >= COUNT_LIMIT;
  if (isWide) parts.push(encodeWideEnd(entries.length, size, begin));
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, Math.min(entries.length, COUNT_LIMIT), true);
  end.setUint16(10, Math.min(entries.length, COUNT_LIMIT), true);
  end.setUint32(12, isWide ? LIMIT : size, true);
  end.setUint32(16, isWide ? LIMIT : begin, true);
  return concatBytes([...parts, bytesOf(end)]);
}

function encodeEntry(entry: WrittenEntry): Uint8Array {
  const sizes = entry.size >= LIMIT ? [entry.size, entry.size] : [];
  const places = entry.begin >= LIMIT ? [entry.begin] : [];
  const wide = sizes.length + places.length > 0 ? encodeWide([...sizes, ...places]) : new Uint8Array(0);
  const head = new DataView(new ArrayBuffer(46));
  head.setUint32(0, 0x02014b50, true);
  head.setUint16(4, 45, true);
  writeCommon(head, 6, entry, wide);
  head.setUint32(42, Math.min(entry.begin, LIMIT), true);
  return concatBytes([bytesOf(head), encodeUtf8(entry.name), wide]);
}

/** Writes the fields that both headers of a file share. */
function writeCommon(head: DataView, at: number, { name, size, crc32 }: StoredFile, extra: Uint8Array): void {
  head.setUint16(at, extra.length > 0 ? 45 : 20, true);
  head.setUint16(at + 2, UTF8, true);
  head.setUint16(at + 8, DAY, true);
  head.setUint32(at + 10, crc32, true);
  head.setUint32(at + 14, Math.min(size, LIMIT), true);
  head.setUint32(at + 18, Math.min(size, LIMIT), true);
  head.setUint16(at + 22, encodeUtf8(name).length, true);
  head.setUint16(at + 24, extra.length, true);
}

/** Encodes the extra field of 64-bit numbers, section 4.5.3. */
function encodeWide(numbers: readonly number[]): Uint8Array {
  const field = new DataView(new ArrayBuffer(4 + 8 * numbers.length));
  field.setUint16(0, 1, true);
  field.setUint16(2, 8 * numbers.length, true);
  for (const [i, number] of numbers.entries()) field.setBigUint64(4 + 8 * i, BigInt(number), true);
  return bytesOf(field);
}

/** Encodes the 64-bit end record of an archive and its locator, sections 4.3.14 and 4.3.15. */
function encodeWideEnd(count: number, size: number, begin: number): Uint8Array {
  const end = new DataView(new ArrayBuffer(56 + 20));
  end.setUint32(0, 0x06064b50, true);
  end.setBigUint64(4, 44n, true);
  end.setUint16(12, 45, true);
  end.setUint16(14, 45, true);
  for (const [i, number] of [count, count, size, begin].entries())
    end.setBigUint64(24 + 8 * i, BigInt(number), true);
  end.setUint32(56, 0x07064b50, true);
  end.setBigUint64(64, BigInt(begin + size), true);
  end.setUint32(72, 1, true);
  return bytesOf(end);
}

const bytesOf = ({ buffer }: DataView): Uint8Array => new Uint8Array(buffer);
