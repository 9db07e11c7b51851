import {
  createTensor,
  DTYPES,
  type DType,
  FormatError,
  formatShape,
  sizeOf,
  type Tensor,
  type TensorData,
  UnsupportedError,
  viewBytes,
  viewData,
} from "@isthmus/core";
import type { EntryProto, TensorProto } from "./schema.ts";

/** Element type codes of `onnx.TensorProto.DataType`. */
const CODES: Readonly<Record<DType, number>> = {
  f32: 1,
  u8: 2,
  i8: 3,
  u16: 4,
  i16: 5,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  f64: 11,
  u32: 12,
  u64: 13,
  bf16: 16,
  f8e4m3: 17,
  f8e5m2: 19,
};

const DTYPE_OF_CODE: ReadonlyMap<number, DType> = new Map(
  Object.entries(CODES).map(([dtype, code]) => [code, dtype as DType]),
);

/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL = 1;

/** Reads the bytes of a tensor that is stored in a file beside the model. */
export type ExternalReader = (location: string, offset: number, length: number) => Uint8Array;

/**
 * Returns the element type of an ONNX type code; undefined for unsupported types (strings, complex numbers).
 */
export function dtypeOfCode(code: number): DType | undefined {
  return DTYPE_OF_CODE.get(code);
}

/** Returns the ONNX type code of an element type. */
export function codeOfDType(dtype: DType): number {
  return CODES[dtype];
}

/**
 * Decodes a tensor of a model.
 * @throws FormatError if its data does not fit its shape
 * @throws UnsupportedError if its element type is not supported
 */
export function decodeTensor(proto: TensorProto, readExternal: ExternalReader): Tensor {
  const name = proto.name ?? "";
  const dtype = dtypeOfCode(proto.dataType ?? 0);
  if (dtype === undefined) {
    throw new UnsupportedError(
      `Cannot read tensor "${name}" as its element type must be numeric: got ONNX type ${proto.dataType ?? 0}`,
      { feature: `ONNX type ${proto.dataType ?? 0}` },
    );
  }
  const shape = proto.dims ?? [];
  if (shape.some((extent) => !Number.isSafeInteger(extent) || extent < 0)) {
    throw new FormatError(
      `Cannot read tensor "${name}" as extents must be whole numbers: got ${formatShape(shape)}`,
      { format: "onnx" },
    );
  }
  const data = decodeData(proto, dtype, readExternal);
  if (data.length !== sizeOf(shape)) {
    throw new FormatError(
      `Cannot read tensor "${name}" of shape ${formatShape(shape)} as it needs ${sizeOf(shape)} elements: got ${data.length}`,
      { format: "onnx" },
    );
  }
  return createTensor(dtype, shape, data);
}

function decodeData(proto: TensorProto, dtype: DType, readExternal: ExternalReader): TensorData {
  if (proto.dataLocation === EXTERNAL) return viewData(dtype, readExternalData(proto, dtype, readExternal));
  if (proto.rawData !== undefined) return viewData(dtype, wholeElements(proto, dtype, proto.rawData));
  if (dtype === "f32") return Float32Array.from(proto.floatData ?? []);
  if (dtype === "f64") return Float64Array.from(proto.doubleData ?? []);
  if (dtype === "i64") return BigInt64Array.from(proto.int64Data ?? []);
  if (dtype === "u64") return BigUint64Array.from(proto.uint64Data ?? []);
  if (dtype === "u32") return Uint32Array.from(proto.uint64Data ?? [], Number);
  // All narrower types are stored as 32-bit integers, 16- and 8-bit floats as their bit patterns.
  const patterns = proto.int32Data ?? [];
  const data = new DTYPES[dtype].array(patterns.length);
  patterns.forEach((pattern, index) => {
    data[index] = pattern;
  });
  return data;
}

function wholeElements(proto: TensorProto, dtype: DType, bytes: Uint8Array): Uint8Array {
  if (bytes.length % DTYPES[dtype].bytes === 0) return bytes;
  throw new FormatError(
    `Cannot read tensor "${proto.name ?? ""}" as its bytes must be whole elements of ${dtype}: got ${bytes.length} bytes`,
    { format: "onnx" },
  );
}

function readExternalData(proto: TensorProto, dtype: DType, readExternal: ExternalReader): Uint8Array {
  const entry = (key: string): string | undefined =>
    proto.externalData?.find((candidate: EntryProto) => candidate.key === key)?.value;
  const length = sizeOf(proto.dims ?? []) * DTYPES[dtype].bytes;
  const stated = Number(entry("length") ?? length);
  if (stated !== length) {
    throw new FormatError(
      `Cannot read tensor "${proto.name ?? ""}" as its shape needs ${length} bytes: its external data states ${stated}`,
      { format: "onnx" },
    );
  }
  const offset = Number(entry("offset") ?? 0);
  if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length)) {
    throw new FormatError(
      `Cannot read tensor "${proto.name ?? ""}" as its place in external data must be whole numbers of bytes: it states offset ${entry("offset")} and needs ${length}`,
      { format: "onnx" },
    );
  }
  return readExternal(entry("location") ?? "", offset, length);
}

/** Encodes a tensor under a name; shares memory with its data until the model is written. */
export function encodeTensor(name: string, tensor: Tensor): TensorProto {
  return {
    name,
    dims: [...tensor.shape],
    dataType: codeOfDType(tensor.dtype),
    rawData: viewBytes(tensor.data),
  };
}
