import { compareBytes, crc32, decodeUtf8 } from "@isthmus/platform";
import { FormatError } from "../../errors.ts";

/** An archive whose directory is read. */
export interface Archive {
  /** Name for messages. */
  readonly name: string;
  /** Number of bytes. */
  readonly size: number;
  /**
   * Reads bytes `[begin, begin + length)`.
   * @throws FormatError if they are not all within the archive
   */
  readonly read: (begin: number, length: number) => Promise<Uint8Array>;
}

/** Makes the error that an archive is damaged. */
export function damagedArchive({ name }: Pick<Archive, "name">, problem: string): FormatError {
  return new FormatError(`Cannot read "${name}" as the archive ${problem}`, { format: "zip" });
}

/** A file as the directory of an archive states it; nothing is checked yet but the form. */
export interface DirectoryEntry {
  /** Path of the file in the archive. */
  readonly fileName: string;
  /** Path as bytes, which stand again before the file. */
  readonly nameBytes: Uint8Array;
  /** Number of the method by which the file is compressed; 0 if it is stored, 8 for deflate. */
  readonly method: number;
  /** Whether the file is encrypted. */
  readonly isEncrypted: boolean;
  /** CRC-32 of the file's bytes. */
  readonly crc32: number;
  /** Number of bytes that the file takes in the archive. */
  readonly compressedSize: number;
  /** Number of bytes of the file. */
  readonly uncompressedSize: number;
  /** Position of the header before the file. */
  readonly relativeOffsetOfLocalHeader: number;
}

/** Position and number of the entries of a directory. */
interface DirectoryPlace {
  readonly begin: number;
  readonly count: number;
}

const END_BYTES = 22;
const WIDE_LOCATOR_BYTES = 20;
const WIDE_END_BYTES = 56;
const ENTRY_BYTES = 46;
const HEADER_BYTES = 30;
/** Longest comment at the end of an archive. */
const MAX_COMMENT_BYTES = 0xffff;
/** Value of a field of 32 bits whose number is in a field of 64 bits. */
const WIDE = 0xffff_ffff;

/**
 * Finds the directory from the record at the end of an archive.
 * @throws FormatError if there is no such record, or it belongs to an archive in several files
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.14 to 4.3.16
 */
export async function findDirectory(archive: Archive): Promise<DirectoryPlace> {
  const { size, read } = archive;
  const length = Math.min(size, WIDE_LOCATOR_BYTES + END_BYTES + MAX_COMMENT_BYTES);
  const tail = viewOf(await read(size - length, length));
  let at = length - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) throw damagedArchive(archive, "must end with a directory: it has none, and may be cut short");
  const comment = length - at - END_BYTES;
  if (tail.getUint16(at + 20, true) !== comment)
    throw damagedArchive(
      archive,
      `must end with its comment: ${comment} bytes follow, others than it states`,
    );
  const locator = at - WIDE_LOCATOR_BYTES;
  if (locator >= 0 && tail.getUint32(locator, true) === 0x07064b50)
    return findWideDirectory(archive, wholeNumber(tail, locator + 8));
  assertOneFile(archive, tail.getUint16(at + 4, true));
  return { begin: tail.getUint32(at + 16, true), count: tail.getUint16(at + 10, true) };
}

async function findWideDirectory(archive: Archive, begin: number): Promise<DirectoryPlace> {
  const end = viewOf(await archive.read(begin, WIDE_END_BYTES));
  if (end.getUint32(0, true) !== 0x06064b50)
    throw damagedArchive(archive, `must have its 64-bit end record at byte ${begin}: it has none there`);
  assertOneFile(archive, end.getUint32(16, true));
  return { begin: wholeNumber(end, 48), count: wholeNumber(end, 32) };
}

function assertOneFile(archive: Archive, disk: number): void {
  if (disk !== 0) throw damagedArchive(archive, `must be one file: it is part ${disk} of several`);
}

/**
 * Reads the entries of a directory, one after the other.
 * @throws FormatError if one is damaged or strongly encrypted
 */
export async function* readDirectory(
  archive: Archive,
  { begin, count }: DirectoryPlace,
): AsyncGenerator<DirectoryEntry> {
  let position = begin;
  for (let i = 0; i < count; i++) {
    const fixed = viewOf(await archive.read(position, ENTRY_BYTES));
    if (fixed.getUint32(0, true) !== 0x02014b50)
      throw damagedArchive(
        archive,
        `must have an entry of its directory at byte ${position}: it has none there`,
      );
    const nameLength = fixed.getUint16(28, true);
    const extraLength = fixed.getUint16(30, true);
    const length = nameLength + extraLength + fixed.getUint16(32, true);
    const rest = await archive.read(position + ENTRY_BYTES, length);
    const nameBytes = rest.subarray(0, nameLength);
    const extra = rest.subarray(nameLength, nameLength + extraLength);
    yield parseEntry(archive, fixed, { nameBytes, extra });
    position += ENTRY_BYTES + length;
  }
}

function parseEntry(
  archive: Archive,
  fixed: DataView,
  { nameBytes, extra }: { readonly nameBytes: Uint8Array; readonly extra: Uint8Array },
): DirectoryEntry {
  const flags = fixed.getUint16(8, true);
  if ((flags & 0x40) !== 0) throw damagedArchive(archive, "must not be strongly encrypted: a file in it is");
  const fields = [...extraFields(archive, extra)];
  const wide = fields.find(({ id }) => id === 1)?.data;
  let used = 0;
  const numberAt = (at: number): number => {
    const number = fixed.getUint32(at, true);
    if (number !== WIDE || wide === undefined) return number;
    if (used + 8 > wide.byteLength)
      throw damagedArchive(archive, "must state all sizes of its files: one is missing");
    used += 8;
    return wholeNumber(wide, used - 8);
  };
  const isEncrypted = (flags & 1) !== 0;
  const method = fixed.getUint16(10, true);
  // They are read in the order in which the 64-bit field has them.
  const uncompressedSize = numberAt(24);
  const compressedSize = numberAt(20);
  const relativeOffsetOfLocalHeader = numberAt(42);
  // Encryption puts 12 bytes before a file.
  if (method === 0 && compressedSize !== uncompressedSize + (isEncrypted ? 12 : 0)) {
    throw damagedArchive(
      archive,
      `must state one size for a stored file: it states ${compressedSize} and ${uncompressedSize} bytes`,
    );
  }
  return {
    fileName: decodeName(nameBytes, (flags & 0x800) !== 0, fields),
    nameBytes,
    method,
    isEncrypted,
    crc32: fixed.getUint32(16, true),
    compressedSize,
    uncompressedSize,
    relativeOffsetOfLocalHeader,
  };
}

interface ExtraField {
  readonly id: number;
  readonly data: DataView;
}

function* extraFields(archive: Archive, bytes: Uint8Array): Generator<ExtraField> {
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length - 3; ) {
    const [id, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const end = at + 4 + length;
    if (end > bytes.length)
      throw damagedArchive(archive, "must have its extra fields within their entries: one is not");
    yield { id, data: viewOf(bytes.subarray(at + 4, end)) };
    at = end;
  }
}

/** Characters of the bytes from 128 on in code page 437, in which names are that are not in UTF-8. */
const UPPER_437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

function decodeName(bytes: Uint8Array, isUtf8: boolean, fields: readonly ExtraField[]): string {
  const unicode = fields.find(({ id, data }) => id === 0x7075 && isUnicodeNameOf(data, bytes))?.data;
  if (unicode !== undefined)
    return decodeUtf8(new Uint8Array(unicode.buffer, unicode.byteOffset + 5, unicode.byteLength - 5));
  if (isUtf8) return decodeUtf8(bytes);
  return Array.from(bytes, (byte) => UPPER_437[byte - 128] ?? String.fromCharCode(byte)).join("");
}

/** Checks whether a field holds the name in UTF-8, and still belongs to the name in the entry. */
function isUnicodeNameOf(field: DataView, nameBytes: Uint8Array): boolean {
  return field.byteLength > 5 && field.getUint8(0) === 1 && field.getUint32(1, true) === crc32(nameBytes);
}

/**
 * Finds the first byte of a file of an archive.
 * @throws FormatError if the header before it is damaged, names another file, or the file does not fit
 */
export async function locateFile(archive: Archive, entry: DirectoryEntry): Promise<number> {
  const { fileName, nameBytes, compressedSize, relativeOffsetOfLocalHeader: begin } = entry;
  const header = viewOf(await archive.read(begin, HEADER_BYTES));
  if (header.getUint32(0, true) !== 0x04034b50)
    throw damagedArchive(archive, `must have a header before "${fileName}": it has none`);
  const nameLength = header.getUint16(26, true);
  const first = begin + HEADER_BYTES + nameLength + header.getUint16(28, true);
  const end = first + compressedSize;
  if (end > archive.size)
    throw damagedArchive(
      archive,
      `must hold all of "${fileName}": it would end at byte ${end} of ${archive.size}`,
    );
  const name = await archive.read(begin + HEADER_BYTES, nameLength);
  if (compareBytes(name, nameBytes) === 0) return first;
  throw damagedArchive(
    archive,
    `must name a file alike in both places: "${fileName}" is "${decodeUtf8(name)}" in the other`,
  );
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Reads a number of 64 bits; one that is not exact as a double lies beyond any file, too. */
function wholeNumber(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
