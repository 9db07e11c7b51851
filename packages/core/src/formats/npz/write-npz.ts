import { encodeLatin1, encodeUtf8 } from "@isthmus/platform";
import type { FileWriter } from "../../save/file-writer.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { byteLengthOf, type TensorInfo } from "../../tensor/tensor.ts";
import { createZipWriter } from "../zip/zip-writer.ts";

/** NumPy codes of element types; other types are written in the next wider type that NumPy has. */
const CODES: Readonly<Partial<Record<DType, string>>> = {
  bool: "|b1",
  u8: "|u1",
  i8: "|i1",
  u16: "<u2",
  u32: "<u4",
  u64: "<u8",
  i16: "<i2",
  i32: "<i4",
  i64: "<i8",
  f16: "<f2",
  f32: "<f4",
  f64: "<f8",
};

/** Types that hold all numbers of types which NumPy lacks. */
const WIDER: Readonly<Partial<Record<DType, DType>>> = { bf16: "f32", f8e4m3: "f16", f8e5m2: "f16" };

/** Returns the element type in which NumPy can represent all numbers of a type. */
export function numpyType(dtype: DType): DType {
  return WIDER[dtype] ?? dtype;
}

/** Estimates the size of an archive of arrays in bytes. */
export function npzBytes(tensors: ReadonlyMap<string, TensorInfo>): number {
  let bytes = 0;
  for (const [name, info] of tensors) bytes += byteLengthOf(info) + 400 + 2 * encodeUtf8(name).length;
  return bytes;
}

/**
 * Writes tensors as arrays of NumPy into a zip archive, uncompressed, as `numpy.savez` does.
 * @param tensors - names, element types that NumPy has, and shapes
 * @throws UnsupportedError if a name is too long for an archive
 */
export async function writeNpz(tensors: ReadonlyMap<string, TensorInfo>, writer: FileWriter): Promise<void> {
  const archive = createZipWriter(writer);
  for (const [name, info] of tensors)
    await archive.add({ name: `${name}.npy`, head: encodeNpyHeader(info), tensor: { name, ...info } });
  await archive.finish();
}

/** Encodes the header of an array, version 1, padded so that elements begin at a multiple of 64 bytes. */
function encodeNpyHeader({ dtype, shape }: TensorInfo): Uint8Array {
  const extents = shape.map((extent) => `${extent},`).join(" ");
  const tuple = shape.length > 1 ? extents.slice(0, -1) : extents;
  const text = `{'descr': '${CODES[dtype] ?? `V${DTYPES[dtype].bytes}`}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = encodeLatin1(`\x93NUMPY\x01\0\0\0${text.padEnd(length - 11)}\n`);
  new DataView(header.buffer).setUint16(8, length - 10, true);
  return header;
}
