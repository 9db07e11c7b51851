import { UnsupportedError } from "../../errors.ts";
import { MAX_HEADER_BYTES, MAX_RANK, MAX_TENSORS } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import { parseJson } from "../../json/parse-json.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { formatErrors } from "../format-errors.ts";

const formatError = formatErrors("safetensors");

/** A tensor and the range of its bytes, `[begin, end)` from the start of the file. */
export interface StoredTensor extends TensorInfo {
  /** Position of the first byte. */
  readonly begin: number;
  /** Position after the last byte. */
  readonly end: number;
}

/** Contents of the header of a safetensors file. */
export interface SafetensorsHeader {
  /** Tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Strings stored beside the tensors, by key; empty if there are none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Number of bytes before the JSON; they hold its length as a little-endian 64-bit integer. */
export const PREFIX_BYTES = 8;

const BRACE = 0x7b;

/** Element types by their name in a header. */
const BY_NAME: ReadonlyMap<string, DType> = new Map(
  (Object.keys(DTYPES) as DType[]).map((dtype) => [DTYPES[dtype].safetensors, dtype]),
);

/**
 * Reads the length of the JSON header.
 * @param prefix - the first 8 bytes of the file
 * @param fileSize - bytes of the whole file
 * @throws FormatError if the header does not fit into the file or is larger than any real header.
 */
export function readHeaderLength(prefix: Uint8Array, fileSize: number, name: string): number {
  if (fileSize < PREFIX_BYTES) {
    throw formatError(name, `a file starts with the 8-byte length of its header: it has ${fileSize} bytes`);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const length = view.getBigUint64(0, true);
  const room = fileSize - PREFIX_BYTES;
  if (length > BigInt(room)) {
    throw formatError(
      name,
      `the header must fit the file: it claims ${length} bytes of ${room}; the file may be cut short`,
    );
  }
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw formatError(name, `a header may have at most ${MAX_HEADER_BYTES} bytes: it claims ${length}`);
  }
  return Number(length);
}

/**
 * Parses the JSON header of a safetensors file, and checks that every tensor has a supported type, a shape
 * that matches its bytes, and bytes within the file that neither overlap the bytes of another tensor nor
 * leave a gap.
 * @param json - the header in UTF-8
 * @param fileSize - bytes of the whole file
 * @throws FormatError if the header is not well formed.
 * @throws UnsupportedError if a tensor has an unsupported element type.
 */
export function parseHeader(json: Uint8Array, fileSize: number, name: string): SafetensorsHeader {
  const { __metadata__: metadata, ...entries } = parseObject(json, name);
  const names = Object.keys(entries);
  if (names.length > MAX_TENSORS) {
    throw formatError(name, `a checkpoint may have at most ${MAX_TENSORS} tensors: it has ${names.length}`);
  }
  const dataBegin = PREFIX_BYTES + json.length;
  const tensors = names.map((tensor): [string, StoredTensor] => [
    tensor,
    parseEntry(entries[tensor], { file: name, tensor, dataBegin }),
  ]);
  tensors.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  assertContiguous(tensors, { file: name, dataBegin, fileSize });
  return { tensors: new Map(tensors), metadata: parseMetadata(metadata, name) };
}

function parseObject(json: Uint8Array, name: string): Record<string, unknown> {
  if (json[0] !== BRACE)
    throw formatError(name, "the header must be a JSON object: it does not begin with {");
  const value = parseJson(json, {
    attempt: `read "${name}"`,
    rule: "its header must be JSON in UTF-8",
    format: "safetensors",
    distinctKeys: true,
  });
  // JSON that begins with a brace is an object.
  return value as Record<string, unknown>;
}

interface EntryPlace {
  readonly file: string;
  readonly tensor: string;
  readonly dataBegin: number;
}

function parseEntry(entry: unknown, place: EntryPlace): StoredTensor {
  const { file, tensor, dataBegin } = place;
  if (!isObject(entry)) throw formatError(file, `"${tensor}" must be described by a JSON object`);
  const dtype = parseDType(entry["dtype"], place);
  const { shape, data_offsets: offsets } = entry;
  if (!isExtents(shape) || shape.length > MAX_RANK) {
    const rule = `must have a shape of at most ${MAX_RANK} whole numbers from 0 to 2^53 - 1`;
    throw formatError(file, `"${tensor}" ${rule}: it is ${shown(shape)}`);
  }
  if (!isExtents(offsets) || offsets.length !== 2) {
    throw formatError(
      file,
      `"${tensor}" must have data_offsets [begin, end] of whole numbers: they are ${shown(offsets)}`,
    );
  }
  const [begin, end] = offsets as [number, number];
  // The product is exact: a rounded one could match the number of bytes by accident.
  const bytes = shape.reduce((size, extent) => size * BigInt(extent), BigInt(DTYPES[dtype].bytes));
  if (begin > end || bytes !== BigInt(end - begin)) {
    throw formatError(
      file,
      `"${tensor}" of ${dtype} ${formatShape(shape)} needs ${bytes} bytes: its offsets ${begin} to ${end} hold ${end - begin}`,
    );
  }
  return { dtype, shape, begin: dataBegin + begin, end: dataBegin + end };
}

function parseDType(value: unknown, { file, tensor }: EntryPlace): DType {
  if (typeof value !== "string")
    throw formatError(file, `"${tensor}" must have a dtype: it is ${shown(value)}`);
  const dtype = BY_NAME.get(value);
  if (dtype !== undefined) return dtype;
  throw new UnsupportedError(
    `Cannot read "${file}" as the element type of "${tensor}" is not handled: it is ${value}, known are ${[...BY_NAME.keys()].join(", ")}`,
    { feature: value },
  );
}

function assertContiguous(
  tensors: readonly (readonly [string, StoredTensor])[],
  { file, dataBegin, fileSize }: { file: string; dataBegin: number; fileSize: number },
): void {
  let position = dataBegin;
  for (const [tensor, { begin, end }] of tensors) {
    if (end > fileSize) {
      const claim = `it ends at byte ${end} of ${fileSize}; the file may be cut short`;
      throw formatError(file, `the bytes of "${tensor}" must be within the file: ${claim}`);
    }
    if (begin !== position) {
      const fault = begin < position ? "overlaps the tensor before it" : "leaves a hole before it";
      throw formatError(
        file,
        `tensors must follow one another: "${tensor}" at byte ${begin} ${fault}, which ends at ${position}`,
      );
    }
    position = end;
  }
  if (position !== fileSize) {
    throw formatError(
      file,
      `the file must end with its last tensor: that ends at byte ${position} of ${fileSize}`,
    );
  }
}

function parseMetadata(value: unknown, file: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value))
    throw formatError(file, "__metadata__ must be a JSON object of strings: it is another value");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string")
      throw formatError(file, `__metadata__ must hold strings: "${key}" is ${shown(text)}`);
  }
  return value as Record<string, string>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isExtents(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
}

/** Formats a value of the header for a message. */
function shown(value: unknown): string {
  return value === undefined ? "missing" : excerpt(value);
}
