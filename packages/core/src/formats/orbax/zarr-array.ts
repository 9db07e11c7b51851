import { UnsupportedError } from "../../errors.ts";
import { at } from "../../invariant.ts";
import { MAX_INFLATED_BYTES, MAX_RANK } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import { parseJson } from "../../json/parse-json.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { formatErrors } from "../format-errors.ts";
import { numpyTypeOf } from "../npz/npy-header.ts";
import { dtypeNamed } from "../torch/globals.ts";
import type { Packing } from "./unpack-bytes.ts";

export const zarrError: ReturnType<typeof formatErrors> = formatErrors("zarr");

/** Ways to unpack the bytes of a chunk, in the names of Zarr; `crc32c` is a checksum after the bytes. */
export type Unpacking = Packing | "crc32c";

const UNPACKINGS: readonly string[] = ["zstd", "gzip", "zlib", "crc32c"] satisfies readonly Unpacking[];

/** How the elements of a chunk are stored. */
interface Encoding {
  /** Whether the bytes of each element are in big-endian order. */
  readonly bigEndian: boolean;
  /** Packings to undo, in this order, to get to the elements. */
  readonly unpack: readonly Unpacking[];
}

/** An array of Zarr, of version 2 or 3: its elements are in chunks of one shape, in row-major order. */
export interface ZarrArray extends TensorInfo, Encoding {
  /** Shape of a chunk; those at the end of an axis are as large, and filled up. */
  readonly chunk: readonly number[];
  /** Extents of the boxes in which chunks are stored together, with their index; undefined if alone. */
  readonly shard: readonly number[] | undefined;
  /** Whether the index of such a box is at its end. */
  readonly indexAtEnd: boolean;
  /** Whether the checksum of the index follows it. */
  readonly indexChecked: boolean;
  /** Returns the key of a chunk, or of a box of them, by its position in the grid. */
  readonly keyOf: (position: readonly number[]) => string;
  /** Whether elements of chunks that are not stored are 0. */
  readonly isZeroFilled: boolean;
}

/** Files that describe arrays of versions 2 and 3. */
export const ZARR_FILES: readonly string[] = [".zarray", "zarr.json"];

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Parses the description of an array, `.zarray` or `zarr.json`.
 * @param name - path of the file, for messages
 * @throws FormatError if it is damaged
 * @throws UnsupportedError if elements are no numbers, transposed, or packed in a way that is not handled
 * @see https://zarr-specs.readthedocs.io
 */
export function parseZarrArray(bytes: Uint8Array, name: string): ZarrArray {
  const fields = parseJson(bytes, { attempt: `read "${name}"`, format: "zarr" });
  if (!isFields(fields))
    throw zarrError(name, "the description of an array must be an object of JSON: it is not");
  const version = fields["zarr_format"];
  if (version !== 2 && version !== 3)
    throw zarrError(name, `an array must be of version 2 or 3 of Zarr: it is of ${excerpt(version)}`);
  const array = version === 2 ? parseSecond(fields, name) : parseThird(fields, name);
  const bytesOfChunk = sizeOf(array.chunk) * DTYPES[array.dtype].bytes;
  if (array.unpack.length > 0 && bytesOfChunk > MAX_INFLATED_BYTES)
    throw zarrError(name, `a packed chunk may have ${MAX_INFLATED_BYTES} bytes: it has ${bytesOfChunk}`);
  return array;
}

function parseSecond(fields: Fields, name: string): ZarrArray {
  const { shape, chunk } = readExtents(fields["shape"], fields["chunks"], name);
  const named = String(fields["dtype"]);
  const type = numpyTypeOf(named) ?? typeNamed(named, name);
  const separator = fields["dimension_separator"] ?? ".";
  if ((separator !== "." && separator !== "/") || (fields["order"] !== "C" && shape.length > 1))
    throw unsupported(name, `order ${excerpt(fields["order"])} with separator ${excerpt(separator)}`);
  const { filters } = fields;
  if (filters !== null && filters !== undefined && !(Array.isArray(filters) && filters.length === 0))
    throw unsupported(name, `filters ${excerpt(filters)}`);
  const compressor = fields["compressor"];
  const packing = isFields(compressor) ? [unpackingNamed(compressor["id"], name)] : [];
  return {
    ...type,
    ...ALONE,
    shape,
    chunk,
    unpack: packing,
    keyOf: (position) => (position.length === 0 ? "0" : position.join(separator)),
    isZeroFilled: isZero(fields["fill_value"]),
  };
}

/** Fields of arrays whose chunks are stored alone. */
const ALONE = { shard: undefined, indexAtEnd: true, indexChecked: true } as const;

function parseThird(fields: Fields, name: string): ZarrArray {
  const grid = read(fields["chunk_grid"], "regular", name);
  const extents = readExtents(fields["shape"], grid["chunk_shape"], name);
  const type = typeNamed(String(fields["data_type"]), name);
  const codecs = codecsOf(fields["codecs"], name);
  const isZeroFilled = isZero(fields["fill_value"]);
  const keyOf = keysOf(fields["chunk_key_encoding"], name);
  const [first] = codecs;
  if (first?.name !== "sharding_indexed")
    return { ...type, ...ALONE, ...extents, ...encodingOf(codecs, name), keyOf, isZeroFilled };
  const { chunk } = readExtents(extents.chunk, first.settings["chunk_shape"], name);
  if (codecs.length > 1 || !chunk.every((extent, axis) => at(extents.chunk, axis) % extent === 0))
    throw zarrError(
      name,
      "chunks must divide the boxes that hold them, which nothing else packs: they do not",
    );
  const index = codecsOf(first.settings["index_codecs"], name);
  const { unpack, bigEndian } = encodingOf(index, name);
  const [checksum, ...others] = unpack;
  if (bigEndian || others.length > 0 || (checksum !== undefined && checksum !== "crc32c"))
    throw unsupported(name, `an index of ${excerpt(first.settings["index_codecs"])}`);
  return {
    ...type,
    ...encodingOf(codecsOf(first.settings["codecs"], name), name),
    shape: extents.shape,
    chunk,
    shard: extents.chunk,
    indexAtEnd: first.settings["index_location"] !== "start",
    indexChecked: checksum !== undefined,
    keyOf,
    isZeroFilled,
  };
}

function keysOf(value: unknown, name: string): ZarrArray["keyOf"] {
  const isSecond = isFields(value) && value["name"] === "v2";
  const settings = read(value, isSecond ? "v2" : "default", name);
  const separator = settings["separator"] ?? (isSecond ? "." : "/");
  if (separator !== "." && separator !== "/") throw unsupported(name, `separator ${excerpt(separator)}`);
  return (position) => {
    if (isSecond) return position.length === 0 ? "0" : position.join(separator);
    return ["c", ...position].join(separator);
  };
}

interface Codec {
  readonly name: string;
  readonly settings: Fields;
}

/** Reads a list of codecs, each with its name and settings. */
function codecsOf(value: unknown, name: string): Codec[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.map((codec) => {
    const settings = isFields(codec) ? (codec["configuration"] ?? {}) : undefined;
    if (!isFields(codec) || !isFields(settings))
      throw zarrError(name, `each codec must have a name and settings: one is ${excerpt(codec)}`);
    return { name: String(codec["name"]), settings };
  });
}

/** Reads how chunks are encoded: bytes of elements first, then what packs them. */
function encodingOf([first, ...rest]: readonly Codec[], name: string): Encoding {
  if (first?.name !== "bytes") throw unsupported(name, `codec ${excerpt(first?.name)}`);
  const unpack = rest.map((codec) => unpackingNamed(codec.name, name)).reverse();
  return { bigEndian: first.settings["endian"] === "big", unpack };
}

/** Returns the settings of an extension point of version 3, which must have a name. */
function read(value: unknown, kind: string, name: string): Fields {
  const settings = isFields(value) ? (value["configuration"] ?? {}) : {};
  if (isFields(value) && value["name"] === kind && isFields(settings)) return settings;
  throw unsupported(name, `${excerpt(value)} for "${kind}"`);
}

function unpackingNamed(id: unknown, name: string): Unpacking {
  const unpacking = UNPACKINGS.find((one): one is Unpacking => one === id);
  if (unpacking === undefined) throw unsupported(name, `compression ${excerpt(id)}`);
  return unpacking;
}

function typeNamed(type: string, name: string): Pick<ZarrArray, "dtype" | "bigEndian"> {
  const dtype = dtypeNamed(type);
  if (dtype === undefined) throw unsupported(name, `elements of type ${excerpt(type)}`);
  return { dtype, bigEndian: false };
}

function unsupported(name: string, feature: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot read "${name}" as arrays of numbers are handled, in rows, in a regular grid, plain or packed by zstd, gzip or zlib: it has ${feature}; restore it by the program that wrote it, and save it by orbax.checkpoint, or copy the array by tensorstore with the compressor zstd`,
    { feature },
  );
}

/** Checks that a shape and the shape of chunks are lists of as many extents. */
function readExtents(shape: unknown, chunk: unknown, name: string): Pick<ZarrArray, "shape" | "chunk"> {
  const [all, part] = [extentsOf(shape, 0), extentsOf(chunk, 1)];
  if (all !== undefined && part?.length === all.length) return { shape: all, chunk: part };
  throw zarrError(
    name,
    `an array must have a shape, and chunks of at least 1 along each axis: it has ${excerpt(shape)} and ${excerpt(chunk)}`,
  );
}

function extentsOf(value: unknown, least: number): number[] | undefined {
  const isExtent = (one: unknown): one is number => Number.isSafeInteger(one) && Number(one) >= least;
  if (!Array.isArray(value) || value.length > MAX_RANK || !value.every(isExtent)) return undefined;
  return Number.isSafeInteger(sizeOf(value) * 8) ? value : undefined;
}

function isZero(value: unknown): boolean {
  return value === null || value === undefined || value === 0 || value === false;
}
