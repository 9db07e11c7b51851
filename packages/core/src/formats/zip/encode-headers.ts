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
  const wide = file.size >= LIMIT ? encodeWide([file.size, file.size]) : Buffer.alloc(0);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  writeCommon(head, 4, file, wide);
  return Buffer.concat([head, Buffer.from(file.name), wide]);
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
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(entries.length, COUNT_LIMIT), 8);
  end.writeUInt16LE(Math.min(entries.length, COUNT_LIMIT), 10);
  end.writeUInt32LE(isWide ? LIMIT : size, 12);
  end.writeUInt32LE(isWide ? LIMIT : begin, 16);
  return Buffer.concat([...parts, end]);
}

function encodeEntry(entry: WrittenEntry): Buffer {
  const sizes = entry.size >= LIMIT ? [entry.size, entry.size] : [];
  const places = entry.begin >= LIMIT ? [entry.begin] : [];
  const wide = sizes.length + places.length > 0 ? encodeWide([...sizes, ...places]) : Buffer.alloc(0);
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(45, 4);
  writeCommon(head, 6, entry, wide);
  head.writeUInt32LE(Math.min(entry.begin, LIMIT), 42);
  return Buffer.concat([head, Buffer.from(entry.name), wide]);
}

/** Writes the fields that both headers of a file share. */
function writeCommon(head: Buffer, at: number, { name, size, crc32 }: StoredFile, extra: Buffer): void {
  head.writeUInt16LE(extra.length > 0 ? 45 : 20, at);
  head.writeUInt16LE(UTF8, at + 2);
  head.writeUInt16LE(DAY, at + 8);
  head.writeUInt32LE(crc32, at + 10);
  head.writeUInt32LE(Math.min(size, LIMIT), at + 14);
  head.writeUInt32LE(Math.min(size, LIMIT), at + 18);
  head.writeUInt16LE(Buffer.byteLength(name), at + 22);
  head.writeUInt16LE(extra.length, at + 24);
}

/** Encodes the extra field of 64-bit numbers, section 4.5.3. */
function encodeWide(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  for (const [i, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * i);
  return field;
}

/** Encodes the 64-bit end record of an archive and its locator, sections 4.3.14 and 4.3.15. */
function encodeWideEnd(count: number, size: number, begin: number): Buffer {
  const end = Buffer.alloc(56 + 20);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(45, 12);
  end.writeUInt16LE(45, 14);
  for (const [i, number] of [count, count, size, begin].entries())
    end.writeBigUInt64LE(BigInt(number), 24 + 8 * i);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(begin + size), 64);
  end.writeUInt32LE(1, 72);
  return end;
}
