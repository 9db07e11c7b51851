import { UnsupportedError } from "../../errors.ts";
import { MAX_RANK } from "../../io/limits.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { type Hdf5Bytes, type Hdf5File, hdf5Error } from "./hdf5-bytes.ts";
import type { Hdf5Message } from "./object-header.ts";

const [DATASPACE, DATATYPE, LAYOUT] = [0x01, 0x03, 0x08] as const;

/** Classes of types: numbers, text, opaque bytes, enumerations and lists of any length. */
const [INTEGER, FLOAT, TEXT, OPAQUE, ENUMERATION, VARIABLE] = [0, 1, 3, 5, 8, 9] as const;

/** A set of numbers in an HDF5 file. */
export class Hdf5DataSet {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bigEndian: boolean;
  /** Position of the first byte in the file; undefined if no element was ever written, so that all are 0. */
  readonly begin: number | undefined;
  constructor(dtype: DType, shape: readonly number[], bigEndian: boolean, begin: number | undefined) {
    this.dtype = dtype;
    this.shape = shape;
    this.bigEndian = bigEndian;
    this.begin = begin;
  }
}

/**
 * Describes a data set by the messages of its object.
 * @param name - name of the data set, for messages
 * @returns undefined if it holds text
 * @throws UnsupportedError if elements are of another kind, or are stored in chunks, as compressed ones are
 */
export function describeDataSet(
  name: string,
  messages: readonly Hdf5Message[],
  file: Hdf5File,
): Hdf5DataSet | undefined {
  const find = (kind: number) => messages.find(({ type }) => type === kind)?.body;
  const [space, type, layout] = [find(DATASPACE), find(DATATYPE), find(LAYOUT)];
  if (space === undefined || type === undefined || layout === undefined)
    throw hdf5Error(file.source, `"${name}" must be a group or a data set: it is neither`);
  const kind = type.number(0, 1) & 15;
  if (kind === TEXT || kind === VARIABLE) return undefined;
  const dtype = dtypeOf(kind, type);
  if (dtype === undefined)
    throw unsupported(file, name, "elements must be numbers of at most 8 bytes", `type of class ${kind}`);
  const shape = shapeOf(space, name, file);
  const begin = placeOf(layout, sizeOf(shape) * DTYPES[dtype].bytes, name, file);
  const bigEndian = (kind === INTEGER || kind === FLOAT) && (type.number(1, 1) & 1) !== 0;
  return new Hdf5DataSet(dtype, shape, bigEndian && DTYPES[dtype].bytes > 1, begin);
}

function unsupported(file: Hdf5File, name: string, rule: string, feature: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot read "${file.source.name}" as ${rule}: "${name}" has a ${feature}; save the weights by save_weights of Keras`,
    { feature },
  );
}

function dtypeOf(kind: number, type: Hdf5Bytes): DType | undefined {
  const bytes = type.number(4, 4);
  if (kind === INTEGER) {
    const sign = (type.number(1, 1) & 8) !== 0 ? "i" : "u";
    return INTEGERS[`${sign}${bytes}`];
  }
  if (kind === FLOAT) return bytes === 2 && type.number(13, 1) === 8 ? "bf16" : FLOATS[bytes];
  // NumPy's bfloat16, which HDF5 does not know, and booleans, which are an enumeration of bytes.
  if (kind === OPAQUE && bytes === 2) return "bf16";
  return kind === ENUMERATION && bytes === 1 ? "bool" : undefined;
}

const INTEGERS: Readonly<Record<string, DType>> = {
  i1: "i8",
  i2: "i16",
  i4: "i32",
  i8: "i64",
  u1: "u8",
  u2: "u16",
  u4: "u32",
  u8: "u64",
};

const FLOATS: Readonly<Record<number, DType>> = { 2: "f16", 4: "f32", 8: "f64" };

function shapeOf(space: Hdf5Bytes, name: string, file: Hdf5File): number[] {
  const version = space.number(0, 1);
  const rank = space.number(1, 1);
  const at = version === 1 ? 8 : 4;
  if (version > 2 || rank > MAX_RANK)
    throw hdf5Error(file.source, `"${name}" must have at most ${MAX_RANK} axes: it has ${rank}`);
  if (version === 2 && space.number(3, 1) === 2) return [0];
  return Array.from({ length: rank }, (_, axis) => space.number(at + 8 * axis, 8));
}

function placeOf(layout: Hdf5Bytes, bytes: number, name: string, file: Hdf5File): number | undefined {
  const version = layout.number(0, 1);
  const kind = layout.number(1, 1);
  if (version < 3 || kind !== 1)
    throw unsupported(file, name, "elements must be stored one after the other", `layout of class ${kind}`);
  const begin = layout.address(2);
  const length = layout.number(10, 8);
  if (begin === undefined && bytes <= file.source.size) return undefined;
  if (begin === undefined || length !== bytes || begin + bytes > file.source.size)
    throw hdf5Error(
      file.source,
      `"${name}" must be ${bytes} bytes within the file of ${file.source.size}: it is ${length} from ${begin}`,
    );
  return begin;
}
