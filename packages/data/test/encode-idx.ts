import { DTYPES, type DType, sizeOf, type TensorData, viewBytes } from "@isthmus/core";

const CODES: Partial<Record<DType, number>> = { u8: 8, i8: 9, i16: 11, i32: 12, f32: 13, f64: 14 };

/** Encodes an array as an IDX file, for tests; `data` may be shorter or longer than `shape` says. */
export function encodeIdx(shape: readonly number[], data: TensorData, dtype: DType = "u8"): Uint8Array {
  const { bytes: width } = DTYPES[dtype];
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, CODES[dtype] ?? 0, shape.length]);
  shape.forEach((extent, axis) => {
    header.writeUInt32BE(extent, 4 + 4 * axis);
  });
  const body = Buffer.from(viewBytes(data).slice());
  if (width === 2) body.swap16();
  if (width === 4) body.swap32();
  if (width === 8) body.swap64();
  return new Uint8Array(Buffer.concat([header, body]));
}

/** Bytes 0, 1, 2, ... of an array of this shape, wrapping at 256. */
export function countingBytes(shape: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: sizeOf(shape) }, (_, i) => i);
}
