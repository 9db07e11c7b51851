import { decodeLatin1, decodeUtf8 } from "@isthmus/platform";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { at } from "../../invariant.ts";
import { MAX_RANK } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";

/** Number of bytes at the beginning of a `.npy` file that include the length of its header. */
export const NPY_PREFIX_BYTES = 12;

/** Longest header: NumPy itself refuses more than 10,000 characters, unless an option trusts the file. */
const MAX_HEADER_BYTES = 65_536;

/** First bytes of a `.npy` file, `\x93NUMPY`. */
const MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Element types by their NumPy code, without the byte order. */
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

/** Type, shape and layout that the header of a `.npy` file states. */
export interface NpyHeader extends TensorInfo {
  /** Whether the bytes of each element are stored in big-endian order. */
  readonly bigEndian: boolean;
  /** Whether the first axis varies fastest, as in Fortran, rather than the last one. */
  readonly fortranOrder: boolean;
  /** Position in the file at which elements begin. */
  readonly end: number;
}

/**
 * Finds the end of the header of a `.npy` file from its first {@link NPY_PREFIX_BYTES} bytes.
 * @param size - bytes of the whole file
 * @returns the byte at which elements begin
 * @throws FormatError if the bytes are not from a `.npy` file, or the header does not fit into the file
 * @throws UnsupportedError if its version is not 1, 2 or 3
 */
export function npyHeaderEnd(prefix: Uint8Array, size: number, source: string): number {
  if (!MAGIC.every((byte, i) => prefix[i] === byte) || prefix.length < NPY_PREFIX_BYTES) {
    throw npyError(source, `a .npy file must start with "\\x93NUMPY", a version and a length: it does not`);
  }
  const version = at(prefix, 6, "byte");
  if (version < 1 || version > 3) {
    throw new UnsupportedError(`Cannot read "${source}" as its version must be 1, 2 or 3: it is ${version}`, {
      feature: `npy ${version}`,
    });
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, NPY_PREFIX_BYTES);
  const end = textBegin(version) + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > Math.min(size, MAX_HEADER_BYTES)) {
    throw npyError(
      source,
      `its header must fit the file and ${MAX_HEADER_BYTES} bytes: it ends at ${end} of ${size}`,
    );
  }
  return end;
}

/**
 * Parses the header of a `.npy` file, a Python dictionary such as
 * `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`; no code is run.
 * @param head - the first bytes of the file, up to where elements begin
 * @throws FormatError if a field is missing or malformed
 * @throws UnsupportedError if elements are not numbers or booleans: objects are never unpickled
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function parseNpyHeader(head: Uint8Array, source: string): NpyHeader {
  const version = at(head, 6, "byte");
  const bytes = head.subarray(textBegin(version));
  const text = version === 3 ? decodeUtf8(bytes) : decodeLatin1(bytes);
  const { dtype, bigEndian } = readDescr(text, source);
  const shape = readShape(text, source);
  const fortranOrder = readField(text, "fortran_order", "True|False", source) === "True";
  return { dtype, shape, bigEndian, fortranOrder, end: head.length };
}

function textBegin(version: number): number {
  return version === 1 ? 10 : 12;
}

/** Reads the value of one field, which must match `pattern`. */
function readField(text: string, field: string, pattern: string, source: string): string {
  const value = new RegExp(`['"]${field}['"]\\s*:\\s*(${pattern})\\s*[,}]`).exec(text)?.[1];
  if (value !== undefined) return value;
  throw npyError(source, `its header must have a valid '${field}': it is ${excerpt(text.trim())}`);
}

function readDescr(text: string, source: string): Pick<NpyHeader, "dtype" | "bigEndian"> {
  const descr = readField(text, "descr", `'[^']*'|"[^"]*"|\\[.*?\\]`, source);
  const type = numpyTypeOf(descr.slice(1, -1));
  if (type === undefined) {
    const hint = /O['"]$/.test(descr) ? ", which are pickled Python objects and never loaded" : "";
    throw new UnsupportedError(
      `Cannot read "${source}" as elements must be booleans, integers or real floats: they are ${descr}${hint}`,
      { feature: `npy ${descr}` },
    );
  }
  return type;
}

/** Returns what elements a type of NumPy such as `<f4` has; undefined if they are no numbers or booleans. */
export function numpyTypeOf(
  descr: string,
): { readonly dtype: DType; readonly bigEndian: boolean } | undefined {
  const [, order, code = ""] = /^([<>|=]?)(\w+)$/.exec(descr) ?? [];
  const dtype = DTYPE_OF_CODE.get(code);
  return dtype && { dtype, bigEndian: order === ">" };
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

/** Makes the error for a `.npy` file that violates a rule of its format. */
export function npyError(source: string, reason: string): FormatError {
  return new FormatError(`Cannot read "${source}" as ${reason}`, { format: "npy" });
}
