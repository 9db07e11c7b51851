import type { ByteSource } from "@isthmus/core";
import { decodeLatin1 } from "@isthmus/platform";
import { parquetError } from "./parquet-error.ts";
import { decodeThrift, type ThriftStruct, type ThriftValue } from "./thrift.ts";

/** Physical types of values, by their numbers in files. */
export const PHYSICAL_TYPES = [
  "boolean",
  "int32",
  "int64",
  "int96",
  "float",
  "double",
  "bytes",
  "fixed bytes",
] as const;

/** A physical type, see {@link PHYSICAL_TYPES}. */
export type PhysicalType = (typeof PHYSICAL_TYPES)[number];

/** A column of values. */
export interface ParquetColumn {
  /** Names of the groups that contain the column and of the column itself, such as `image.bytes`. */
  readonly path: string;
  /** Physical type of the values. */
  readonly type: PhysicalType;
  /** Number of levels on its path that may be missing. */
  readonly definitions: number;
  /** Whether a row may have several values. */
  readonly isRepeated: boolean;
}

/** Values of a column in a group of rows. */
export interface ParquetChunk {
  /** Path of the column that the values belong to. */
  readonly path: string;
  /** Number of the compression of the pages, as in the format. */
  readonly codec: number;
  /** Number of values, missing ones included. */
  readonly values: number;
  /** Position of the bytes in the file. */
  readonly begin: number;
  /** Position in the file behind the last of the bytes. */
  readonly end: number;
}

/** Rows that are stored together. */
export interface RowGroup {
  /** Number of rows of the group. */
  readonly rows: number;
  /** Values of each column in the group. */
  readonly chunks: readonly ParquetChunk[];
}

/** Contents of the footer of a Parquet file. */
export interface ParquetFooter {
  /** Columns of values, in the order of the file. */
  readonly columns: readonly ParquetColumn[];
  /** Groups of rows, in the order of the file. */
  readonly groups: readonly RowGroup[];
  /** Texts stored beside the data, by their names. */
  readonly metadata: ReadonlyMap<string, string>;
}

const MAGIC = "PAR1";
/** Maximum size of a footer in bytes; files with thousands of groups have one of a few megabytes. */
const MOST_FOOTER_BYTES = 2 ** 25;
/** Maximum number of rows of a group; writers make groups of 100 to a million. */
const MOST_ROWS = 2 ** 22;

/**
 * Reads the footer of a Parquet file: columns, and the positions of their values.
 * @throws FormatError if the footer is damaged, or claims more than the file can contain
 */
export async function readFooter(source: ByteSource): Promise<ParquetFooter> {
  const { name, size } = source;
  const tail = size < 12 ? new Uint8Array(8) : await source.read(size - 8, size);
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  if (decodeLatin1(tail.subarray(4)) !== MAGIC) {
    throw parquetError(name, `a Parquet file must end with ${MAGIC}: it does not`);
  }
  if (length > Math.min(size - 12, MOST_FOOTER_BYTES)) {
    throw parquetError(name, `its footer must fit the file: it claims ${length} bytes of ${size}`);
  }
  const { struct } = decodeThrift(await source.read(size - 8 - length, size - 8), name);
  const columns = readSchema(listOf(struct, 2), name);
  const groups = listOf(struct, 4).map((group) => readGroup(group, { name, size }));
  const metadata = listOf(struct, 5).map((pair): [string, string] => [textOf(pair, 1), textOf(pair, 2)]);
  return { columns, groups, metadata: new Map(metadata) };
}

/** A group of columns, some of which are still to be read. */
interface OpenGroup extends Omit<ParquetColumn, "path" | "type"> {
  readonly path: readonly string[];
  /** Number of elements that are still to be read. */
  left: number;
}

/** Walks through the schema, a tree in which each group is stored before its contents. */
function readSchema([root, ...elements]: readonly ThriftStruct[], name: string): ParquetColumn[] {
  const columns: ParquetColumn[] = [];
  const left = root === undefined ? 0 : numberOf(root, 5);
  const open: OpenGroup[] = [{ path: [], left, definitions: 0, isRepeated: false }];
  for (const element of elements) {
    while (open.at(-1)?.left === 0) open.pop();
    const above = open.at(-1);
    if (above === undefined || open.length > MOST_LEVELS) {
      throw parquetError(name, `its schema must be one tree of at most ${MOST_LEVELS} levels: it is not`);
    }
    above.left--;
    const inner = { ...innerOf(element, above), left: numberOf(element, 5) };
    const stored = element.get(1);
    if (stored === undefined && inner.left > 0) open.push(inner);
    const type = typeof stored === "number" ? PHYSICAL_TYPES[stored] : undefined;
    const { path, definitions, isRepeated } = inner;
    if (type !== undefined) columns.push({ path: path.join("."), type, definitions, isRepeated });
  }
  return columns;
}

/** Returns the path of an element, and whether it may be missing or repeated (repetition types 1 and 2). */
function innerOf(element: ThriftStruct, above: OpenGroup): Omit<OpenGroup, "left"> {
  const repetition = numberOf(element, 3);
  return {
    path: [...above.path, textOf(element, 4)],
    definitions: above.definitions + (repetition > 0 ? 1 : 0),
    isRepeated: above.isRepeated || repetition === 2,
  };
}

/** Maximum nesting of groups of columns. */
const MOST_LEVELS = 32;

function readGroup(group: ThriftStruct, { name, size }: Pick<ByteSource, "name" | "size">): RowGroup {
  const rows = numberOf(group, 3);
  if (!(Number.isSafeInteger(rows) && 0 <= rows && rows <= MOST_ROWS)) {
    throw parquetError(name, `a group may have at most ${MOST_ROWS} rows: it claims ${rows}`);
  }
  const chunks = listOf(group, 1).map((column) => {
    const stored = column.get(3);
    const meta: ThriftStruct = stored instanceof Map ? stored : new Map();
    const path = arrayOf(meta, 3).map(decodeText).join(".");
    const [data, dictionary] = [numberOf(meta, 9), numberOf(meta, 11)];
    const begin = dictionary > 0 && dictionary < data ? dictionary : data;
    const end = begin + numberOf(meta, 7);
    const values = numberOf(meta, 5);
    if (column.get(1) !== undefined || !(4 <= begin && begin <= end && end <= size - 8) || !(values >= 0)) {
      throw parquetError(
        name,
        `column "${path}" must lie within the file: it claims bytes ${begin} to ${end} of ${size}`,
      );
    }
    return { path, codec: numberOf(meta, 4), values, begin, end };
  });
  return { rows, chunks };
}

/** Returns a number of a struct; 0 if it is missing, as writers omit zeros. */
export function numberOf(struct: ThriftStruct, field: number): number {
  const value = struct.get(field);
  return typeof value === "number" ? value : 0;
}

/** Returns a struct within a struct; undefined if it is missing. */
export function structOf(struct: ThriftStruct, field: number): ThriftStruct | undefined {
  const value = struct.get(field);
  return value instanceof Map ? value : undefined;
}

function arrayOf(struct: ThriftStruct, field: number): readonly ThriftValue[] {
  const value = struct.get(field);
  return Array.isArray(value) ? value : [];
}

function listOf(struct: ThriftStruct, field: number): ThriftStruct[] {
  return arrayOf(struct, field).filter((value) => value instanceof Map);
}

const UTF8 = new TextDecoder();

function textOf(struct: ThriftStruct, field: number): string {
  return decodeText(struct.get(field));
}

function decodeText(value: ThriftValue | undefined): string {
  return value instanceof Uint8Array ? UTF8.decode(value) : "";
}
