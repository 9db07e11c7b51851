import {
  allocateData,
  at,
  createTensor,
  DTYPES,
  type DType,
  excerpt,
  FormatError,
  sizeOf,
  stridesOf,
  type Tensor,
  UnsupportedError,
  viewData,
} from "@isthmus/core";
import { swapBytesInPlace } from "./swap-bytes.ts";

/** Longest header: NumPy itself refuses more than 10,000 characters, unless an option trusts the file. */
const MAX_HEADER_BYTES = 65_536;

/** Most axes of an array: NumPy allows 64. */
const MAX_RANK = 64;

/** First bytes of a `.npy` file, `\x93NUMPY`. */
const MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Element types by NumPy's code, without the byte order. */
const DTYPE_OF_CODE: ReadonlyMap<string, DType> = new Map([
  ["b1", "bool"],
  ["u1", "u8"],
  ["u2", "u16"],
  ["u4", "u32"],
  ["u8", "u64"],
  ["i1", "i8"],
  ["i2", "i16"],
  ["i4", "i32"],
  ["i8", "i64"],
  ["f2", "f16"],
  ["f4", "f32"],
  ["f8", "f64"],
]);

/**
 * Decodes a `.npy` file of NumPy, versions 1 to 3, in C or Fortran order and either byte order.
 *
 * Shares memory with `bytes` if elements need not be reordered or aligned.
 * @throws FormatError if it is not a `.npy` file, or its length does not match its header
 * @throws UnsupportedError if elements are not numbers or booleans: objects are never unpickled
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function decodeNpy(bytes: Uint8Array, source = "bytes"): Tensor {
  const { text, end } = readHeader(bytes, source);
  const { dtype, bigEndian } = readDescr(text, source);
  const shape = readShape(text, source);
  const { bytes: width } = DTYPES[dtype];
  const body = bytes.subarray(end);
  if (body.length !== sizeOf(shape) * width) {
    throw npyError(
      source,
      `its header, ${dtype} [${shape.join(", ")}], makes ${sizeOf(shape) * width} bytes of elements: there are ${body.length}`,
    );
  }
  const data = viewData(dtype, bigEndian ? swapBytesInPlace(body.slice(), width) : body);
  const tensor = createTensor(dtype, shape, data);
  return readField(text, "fortran_order", "True|False", source) === "True" ? toRowMajor(tensor) : tensor;
}

interface NpyHeader {
  /** A Python dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`. */
  readonly text: string;
  /** Byte at which elements begin. */
  readonly end: number;
}

function readHeader(bytes: Uint8Array, source: string): NpyHeader {
  if (!MAGIC.every((byte, i) => bytes[i] === byte) || bytes.length < 12) {
    throw npyError(source, `a .npy file must start with "\\x93NUMPY", a version and a length: it does not`);
  }
  const version = at(bytes, 6, "byte");
  if (version < 1 || version > 3) {
    throw new UnsupportedError(`Cannot read "${source}" as its version must be 1, 2 or 3: it is ${version}`, {
      feature: `npy ${version}`,
    });
  }
  const begin = version === 1 ? 10 : 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  const end = begin + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > Math.min(bytes.length, MAX_HEADER_BYTES)) {
    throw npyError(
      source,
      `its header must fit the file and ${MAX_HEADER_BYTES} bytes: it ends at ${end} of ${bytes.length}`,
    );
  }
  const header = Buffer.from(bytes.buffer, bytes.byteOffset + begin, end - begin);
  return { text: header.toString(version === 3 ? "utf-8" : "latin1"), end };
}

/** Reads the value of one field, which must match `pattern`. */
function readField(text: string, field: string, pattern: string, source: string): string {
  const value = new RegExp(`['"]${field}['"]\\s*:\\s*(${pattern})\\s*[,}]`).exec(text)?.[1];
  if (value !== undefined) return value;
  throw npyError(source, `its header must have a valid '${field}': it is ${excerpt(text.trim())}`);
}

function readDescr(text: string, source: string): { dtype: DType; bigEndian: boolean } {
  const descr = readField(text, "descr", `'[^']*'|"[^"]*"|\\[.*?\\]`, source);
  const [, order, code] = /^['"]([<>|=]?)(\w+)['"]$/.exec(descr) ?? [];
  const dtype = DTYPE_OF_CODE.get(code ?? "");
  if (dtype === undefined) {
    const hint = code === "O" ? ", which are pickled Python objects and never loaded" : "";
    throw new UnsupportedError(
      `Cannot read "${source}" as elements must be booleans, integers or real floats: they are ${descr}${hint}`,
      { feature: `npy ${descr}` },
    );
  }
  return { dtype, bigEndian: order === ">" };
}

function readShape(text: string, source: string): number[] {
  const tuple = readField(text, "shape", "\\([\\d\\s,L]*\\)", source);
  const shape = Array.from(tuple.matchAll(/\d+/g), ([digits]) => Number(digits));
  if (shape.length > MAX_RANK || !shape.every((extent) => Number.isSafeInteger(extent))) {
    throw npyError(
      source,
      `a shape must have at most ${MAX_RANK} extents, each below 2^53: it is ${tuple.slice(0, 200)}`,
    );
  }
  return shape;
}

/** Reorders elements from Fortran order, with the first axis fastest, to row-major order. */
function toRowMajor({ dtype, shape, data }: Tensor): Tensor {
  const out = allocateData(dtype, data.length);
  const strides = stridesOf(shape.toReversed()).reverse();
  const position = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const extent = shape[axis] as number;
      const stride = strides[axis] as number;
      position[axis] = (position[axis] as number) + 1;
      from += stride;
      if ((position[axis] as number) < extent) break;
      position[axis] = 0;
      from -= extent * stride;
    }
  }
  return createTensor(dtype, shape, out);
}

function npyError(source: string, reason: string): FormatError {
  return new FormatError(`Cannot read "${source}" as ${reason}`, { format: "npy" });
}
