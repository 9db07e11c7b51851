import { decodeUtf8 } from "@isthmus/platform";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { MAX_RANK } from "../../io/limits.ts";
import { DTYPES, type DType, type TensorData } from "../../tensor/dtype.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import { allocateData, byteLengthOf, type TensorInfo } from "../../tensor/tensor.ts";
import { type ProtoField, type ProtoWalker, unpackVarints } from "./proto-walker.ts";

/** Element types by `onnx.TensorProto.DataType`. */
const TYPES: ReadonlyMap<number, DType> = new Map([
  [1, "f32"],
  [2, "u8"],
  [3, "i8"],
  [4, "u16"],
  [5, "i16"],
  [6, "i32"],
  [7, "i64"],
  [9, "bool"],
  [10, "f16"],
  [11, "f64"],
  [12, "u32"],
  [13, "u64"],
  [16, "bf16"],
  [17, "f8e4m3"],
  [19, "f8e5m2"],
]);

/** Fields of `onnx.TensorProto` that hold elements, by their numbers, and the element type of plain ones. */
const DATA: ReadonlyMap<number, DType | "varints" | "raw"> = new Map([
  [4, "f32"],
  [5, "varints"],
  [7, "varints"],
  [9, "raw"],
  [10, "f64"],
  [11, "varints"],
]);

/** Longest name, key or value in a description of a tensor, in bytes. */
const MAX_TEXT_BYTES = 65_536;

/** Location of the elements of an initializer. */
export type ElementPlace =
  /** Elements in the model, byte for byte. */
  | { readonly kind: "plain"; readonly begin: number }
  | VarintsPlace
  /** Elements in a file beside the model. */
  | { readonly kind: "external"; readonly location: string; readonly offset: number };

/** Location of packed varints in the model. */
export interface VarintsPlace {
  /** Kind of the location: packed varints. */
  readonly kind: "varints";
  /** Position in the model of the first byte. */
  readonly begin: number;
  /** Position in the model after the last byte. */
  readonly end: number;
}

/** A tensor that an ONNX model contains. */
export interface Initializer extends TensorInfo {
  /** Name of the tensor, by which nodes refer to it. */
  readonly name: string;
  /** Location of the elements: in the model as bytes or as varints, or in a file beside it. */
  readonly place: ElementPlace;
}

/** Fields of an `onnx.TensorProto` before they are checked. */
interface Draft {
  dims: number[];
  type: number;
  name: string;
  isExternal: boolean;
  readonly data: { readonly kind: DType | "varints" | "raw"; readonly field: ProtoField }[];
  readonly external: Map<string, string>;
}

/**
 * Reads the description of an initializer, an `onnx.TensorProto` in `[begin, end)` of the file.
 * @throws FormatError if the elements do not fit the shape
 * @throws UnsupportedError if the elements are not numbers, or are not packed
 */
export async function readInitializer(walker: ProtoWalker, message: ProtoField): Promise<Initializer> {
  const draft: Draft = { dims: [], type: 0, name: "", isExternal: false, data: [], external: new Map() };
  for await (const field of walker.fields(message.begin, message.end)) await readField(draft, field, walker);
  const { name, dims: shape } = draft;
  const dtype = TYPES.get(draft.type);
  if (dtype === undefined) {
    throw new UnsupportedError(
      `Cannot read initializer "${name}" as its elements must be numbers: they have ONNX type ${draft.type}`,
      { feature: `ONNX type ${draft.type}` },
    );
  }
  const isExtent = (extent: number): boolean => Number.isSafeInteger(extent) && extent >= 0;
  if (shape.length > MAX_RANK || !shape.every(isExtent) || !Number.isSafeInteger(8 * sizeOf(shape)))
    throw fail(name, `extents must be possible sizes: they are ${formatShape(shape)}`);
  return { name, dtype, shape, place: placeOf(draft, { dtype, shape }) };
}

async function readField(draft: Draft, field: ProtoField, walker: ProtoWalker): Promise<void> {
  const { number, wire } = field;
  const kind = DATA.get(number);
  if (kind !== undefined) {
    if (wire === 2) draft.data.push({ kind, field });
    else throw unpacked(draft.name);
  } else if (number === 1) await readDims(draft, field, walker);
  else if (number === 2 && wire === 0) draft.type = Number(field.value);
  else if (number === 8 && wire === 2) draft.name = await textOf(walker, field);
  else if (number === 13 && wire === 2) await readEntry(draft.external, field, walker);
  else if (number === 14 && wire === 0) draft.isExternal = field.value === 1n;
}

async function readDims(draft: Draft, field: ProtoField, walker: ProtoWalker): Promise<void> {
  if (field.wire === 0) draft.dims.push(Number(BigInt.asIntN(64, field.value)));
  else draft.dims.push(...Array.from(unpackVarints(await walker.bytes(field, 10 * MAX_RANK)), Number));
  if (draft.dims.length > MAX_RANK)
    throw fail(draft.name, `it may have at most ${MAX_RANK} axes: it has more`);
}

/** Reads a key and a value from an `onnx.StringStringEntryProto` into a map. */
export async function readEntry(
  entries: Map<string, string>,
  message: ProtoField,
  walker: ProtoWalker,
): Promise<void> {
  let [key, value] = ["", ""];
  for await (const field of walker.fields(message.begin, message.end)) {
    if (field.number === 1) key = await textOf(walker, field);
    if (field.number === 2) value = await textOf(walker, field);
  }
  entries.set(key, value);
}

async function textOf(walker: ProtoWalker, field: ProtoField): Promise<string> {
  return decodeUtf8(await walker.bytes(field, MAX_TEXT_BYTES));
}

function placeOf({ name, data, isExternal, external }: Draft, info: TensorInfo): ElementPlace {
  if (isExternal) return externalPlace(name, external, info);
  const parts = data.filter(({ field }) => field.end > field.begin);
  const [part] = parts;
  const bytes = byteLengthOf(info);
  if (part === undefined && bytes === 0) return { kind: "plain", begin: 0 };
  if (part === undefined || parts.length > 1)
    throw fail(name, `${bytes} bytes of elements must be in one field: they are in ${parts.length}`);
  const { kind, field } = part;
  const { begin, end } = field;
  if (kind === "varints") {
    // Each number takes at least one byte.
    if (sizeOf(info.shape) <= end - begin) return { kind, begin, end };
  } else if (kind !== "raw" && kind !== info.dtype)
    throw fail(name, `elements of ${info.dtype} must not be in a field of ${kind}`);
  else if (end - begin === bytes) return { kind: "plain", begin };
  throw fail(name, `of ${info.dtype} ${formatShape(info.shape)} needs ${bytes} bytes: it has ${end - begin}`);
}

function externalPlace(name: string, external: ReadonlyMap<string, string>, info: TensorInfo): ElementPlace {
  const location = external.get("location");
  const offset = Number(external.get("offset") ?? "0");
  const length = external.get("length");
  if (location === undefined || location === "" || location.includes("\0"))
    throw fail(name, "external data must name their file: they do not");
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw fail(name, `external data must begin at a whole number of bytes: they begin at ${offset}`);
  if (length !== undefined && Number(length) !== byteLengthOf(info))
    throw fail(name, `needs ${byteLengthOf(info)} bytes: its external data have ${length}`);
  return { kind: "external", location, offset };
}

/**
 * Decodes elements that are stored as varints, which for 16-bit floats are their bit patterns.
 * @throws FormatError if their number does not match the shape
 */
export function decodeVarints({ name, dtype, shape }: Initializer, bytes: Uint8Array): TensorData {
  const out = allocateData(dtype, sizeOf(shape));
  const isBig = dtype === "i64" || dtype === "u64";
  let count = 0;
  for (const value of unpackVarints(bytes)) {
    if (count < out.length) out[count] = (isBig ? value : patternOf(value, dtype)) as never;
    count++;
  }
  if (count === out.length) return out;
  throw fail(name, `of ${dtype} ${formatShape(shape)} needs ${out.length} elements: it has ${count}`);
}

function patternOf(value: bigint, dtype: DType): number {
  return dtype === "bool" ? Number(value !== 0n) : Number(BigInt.asIntN(8 * DTYPES[dtype].bytes, value));
}

function unpacked(name: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot read initializer "${name}" as its elements must be packed: they are stored one by one; load it with the Python package onnx and save it again`,
    { feature: "unpacked elements" },
  );
}

function fail(name: string, problem: string): FormatError {
  return new FormatError(`Cannot read initializer "${name}" as ${problem}`, { format: "onnx" });
}
