import { at, type ByteSource, UnsupportedError } from "@isthmus/core";
import { decodePlain, type PlainValues } from "./decode-plain.ts";
import { decompressPage } from "./decompress-page.ts";
import { parquetError } from "./parquet-error.ts";
import { numberOf, type ParquetChunk, type ParquetColumn, structOf } from "./read-footer.ts";
import { readRuns } from "./read-runs.ts";
import { decodeThrift, ThriftEndError, type ThriftStruct } from "./thrift.ts";

/** Values of a page, one for each row. */
export interface ParquetPage {
  /** Number of rows of the page. */
  readonly count: number;
  /** Returns the value of a row; undefined if the row has none. */
  valueAt(row: number): number | Uint8Array | undefined;
}

/** Position and type of the values of a column. */
export interface PagesRequest {
  /** File from which the pages are read. */
  readonly source: ByteSource;
  /** Column that the values belong to. */
  readonly column: ParquetColumn;
  /** Position and number of the column's values in the group of rows. */
  readonly chunk: ParquetChunk;
}

/** Kinds of pages, and encodings, by their numbers in files. */
const PAGES = { data: 0, dictionary: 2, data2: 3 } as const;
const PLAIN = 0;
const DICTIONARY: readonly number[] = [2, 8];

/** Number of bytes that contain most headers, and that contain all headers. */
const HEADER_BYTES: readonly number[] = [2 ** 13, 2 ** 20];
/** Maximum number of values of a page. */
const MOST_VALUES = 2 ** 22;

/**
 * Reads the pages of a column in a group of rows, one at a time.
 * @throws FormatError if a page is damaged, or claims more than it contains
 * @throws UnsupportedError if a row may have several values, or values are encoded in another way
 */
export async function* readPages({ source, column, chunk }: PagesRequest): AsyncGenerator<ParquetPage> {
  const { name } = source;
  if (column.isRepeated) {
    throw new UnsupportedError(
      `Cannot read column "${column.path}" of "${name}" as a row must have one value: it may have several`,
      { feature: "parquet lists" },
    );
  }
  let dictionary: PlainValues | undefined;
  let offset = chunk.begin;
  for (let left = chunk.values; left > 0; ) {
    const { header, length } = await readHeader(source, offset, chunk.end);
    const begin = offset + length;
    offset = begin + numberOf(header, 3);
    if (!(numberOf(header, 3) >= 0 && offset <= chunk.end)) {
      throw parquetError(
        name,
        `a page must lie within its column: it claims bytes ${begin} to ${offset} of ${chunk.end}`,
      );
    }
    const page: StoredPage = { header, bytes: await source.read(begin, offset), chunk, column, name };
    const kind = numberOf(header, 1);
    if (kind === PAGES.dictionary) {
      assertFirst(dictionary === undefined && left === chunk.values, name);
      dictionary = await readDictionary(page);
    }
    if (kind !== PAGES.data && kind !== PAGES.data2) continue;
    const read = await (kind === PAGES.data ? readData : readData2)(page, left, dictionary);
    yield read;
    left -= read.count;
  }
}

/** @throws FormatError if a dictionary is not the first page of its column, as each takes time and memory */
function assertFirst(isFirst: boolean, name: string): void {
  if (!isFirst)
    throw parquetError(name, "a column must have one dictionary, before its values: it has another");
}

/** A page in its stored form. */
interface StoredPage {
  readonly header: ThriftStruct;
  readonly bytes: Uint8Array;
  readonly chunk: ParquetChunk;
  readonly column: ParquetColumn;
  /** Name of the file. */
  readonly name: string;
}

async function readHeader(source: ByteSource, offset: number, end: number) {
  for (const size of HEADER_BYTES) {
    const stop = Math.min(end, offset + size);
    try {
      const { struct, length } = decodeThrift(await source.read(offset, stop), source.name);
      return { header: struct, length };
    } catch (error) {
      if (!(error instanceof ThriftEndError) || stop === end) throw error;
    }
  }
  throw parquetError(source.name, `the header of a page may have ${HEADER_BYTES.at(-1)} bytes: one has more`);
}

async function readDictionary({ header, bytes, chunk, column, name }: StoredPage): Promise<PlainValues> {
  const head = structOf(header, 7) ?? new Map();
  const page = await decompressPage(bytes, { codec: chunk.codec, length: numberOf(header, 2), source: name });
  return decodePlain(page, { type: column.type, count: numberOf(head, 1), source: name });
}

/** Reads a page whose levels are compressed with its values. */
async function readData(page: StoredPage, left: number, dictionary?: PlainValues): Promise<ParquetPage> {
  const { header, bytes, chunk, column, name } = page;
  const head = structOf(header, 5) ?? new Map();
  const count = countOf(head, left, name);
  const body = await decompressPage(bytes, { codec: chunk.codec, length: numberOf(header, 2), source: name });
  if (column.definitions === 0) return pageOf(page, { count, encoding: numberOf(head, 2), body, dictionary });
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const length = body.length < 4 ? Number.POSITIVE_INFINITY : view.getUint32(0, true);
  if (length > body.length - 4)
    throw parquetError(name, "its pages must be whole: one ends within its levels");
  const levels = body.subarray(4, 4 + length);
  const rest = { body: body.subarray(4 + length), levels, dictionary };
  return pageOf(page, { count, encoding: numberOf(head, 2), ...rest });
}

/** Reads a page of the second version, whose levels are stored before the compressed values. */
async function readData2(page: StoredPage, left: number, dictionary?: PlainValues): Promise<ParquetPage> {
  const { header, bytes, chunk, name } = page;
  const head = structOf(header, 8) ?? new Map();
  const count = countOf(head, left, name);
  const [repeated, defined] = [numberOf(head, 6), numberOf(head, 5)];
  const begin = repeated + defined;
  if (!(repeated >= 0 && defined >= 0 && begin <= bytes.length)) {
    throw parquetError(name, "its pages must be whole: one ends within its levels");
  }
  const length = numberOf(header, 2) - begin;
  const codec = head.get(7) === false ? 0 : chunk.codec;
  const body = await decompressPage(bytes.subarray(begin), { codec, length, source: name });
  const levels = bytes.subarray(repeated, begin);
  return pageOf(page, { count, encoding: numberOf(head, 4), body, levels, dictionary });
}

function countOf(head: ThriftStruct, left: number, name: string): number {
  const count = numberOf(head, 1);
  if (Number.isSafeInteger(count) && 0 < count && count <= Math.min(left, MOST_VALUES)) return count;
  throw parquetError(name, `a page must have 1 to ${Math.min(left, MOST_VALUES)} values: it claims ${count}`);
}

/** Parts of a decompressed page. */
interface PageParts {
  readonly count: number;
  readonly encoding: number;
  readonly body: Uint8Array;
  /** Encoded runs of definition levels, which mark missing values; undefined if all values exist. */
  readonly levels?: Uint8Array;
  readonly dictionary: PlainValues | undefined;
}

function pageOf(
  { column, name }: StoredPage,
  { count, encoding, body, levels, dictionary }: PageParts,
): ParquetPage {
  const { definitions, type } = column;
  const width = 32 - Math.clz32(definitions);
  const defined =
    definitions === 0 ? undefined : readRuns({ bytes: levels ?? body, width, count, source: name });
  const places = defined && placesOf(defined, definitions);
  const stored = places === undefined ? count : places.count;
  const values = readValues(body, { encoding, stored, dictionary, column, name });
  const read = (row: number) => {
    const place = places === undefined ? row : at(places.rows, row, "row");
    return place < 0 ? undefined : values(place);
  };
  return { count, valueAt: type === "boolean" ? (row) => Number(read(row)) : read };
}

/** Numbers the rows that have values; other rows get -1. */
function placesOf(
  defined: Uint32Array,
  definitions: number,
): { readonly rows: Int32Array; readonly count: number } {
  let count = 0;
  const rows = Int32Array.from(defined, (level) => (level === definitions ? count++ : -1));
  return { rows, count };
}

function readValues(
  body: Uint8Array,
  parts: Pick<PageParts, "encoding" | "dictionary"> & {
    readonly stored: number;
    readonly column: ParquetColumn;
    readonly name: string;
  },
): PlainValues["valueAt"] {
  const { encoding, stored, dictionary, column, name } = parts;
  if (encoding === PLAIN)
    return decodePlain(body, { type: column.type, count: stored, source: name }).valueAt;
  if (!DICTIONARY.includes(encoding)) {
    throw new UnsupportedError(
      `Cannot read column "${column.path}" of "${name}" as plain and dictionary encodings are handled: it is encoded by ${encoding}`,
      { feature: `parquet encoding ${encoding}` },
    );
  }
  if (stored === 0) return () => 0;
  if (dictionary === undefined || body.length === 0) {
    throw parquetError(name, "a page of places in a dictionary must have one before it: it has none");
  }
  const indices = readRuns({
    bytes: body.subarray(1),
    width: at(body, 0, "width"),
    count: stored,
    source: name,
  });
  const { count } = dictionary;
  if (indices.some((index) => index >= count)) {
    throw parquetError(name, `places in a dictionary must be below ${count}: one is not`);
  }
  return (place) => dictionary.valueAt(at(indices, place, "value"));
}
