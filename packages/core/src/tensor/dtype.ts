/** Element types of tensors: all types that safetensors and PyTorch share. */
export type DType =
  | "f64"
  | "f32"
  | "f16"
  | "bf16"
  | "f8e4m3"
  | "f8e5m2"
  | "i64"
  | "i32"
  | "i16"
  | "i8"
  | "u64"
  | "u32"
  | "u16"
  | "u8"
  | "bool";

/** Arrays of stored elements: `f16` and `bf16` as 16-bit patterns, 8-bit floats and `bool` as bytes. */
export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

interface TensorDataConstructor {
  new (length: number): TensorData;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TensorData;
}

/** Properties of one element type. */
export interface DTypeInfo {
  /** Bytes of one element. */
  readonly bytes: 1 | 2 | 4 | 8;
  /** Whether elements are floating-point numbers, and so can be averaged. */
  readonly float: boolean;
  /** Class of the array that holds stored elements. */
  readonly array: TensorDataConstructor;
  /** Name in a safetensors header. */
  readonly safetensors: string;
}

/** Table of all element types. */
export const DTYPES: Readonly<Record<DType, DTypeInfo>> = {
  f64: { bytes: 8, float: true, array: Float64Array, safetensors: "F64" },
  f32: { bytes: 4, float: true, array: Float32Array, safetensors: "F32" },
  f16: { bytes: 2, float: true, array: Uint16Array, safetensors: "F16" },
  bf16: { bytes: 2, float: true, array: Uint16Array, safetensors: "BF16" },
  f8e4m3: { bytes: 1, float: true, array: Uint8Array, safetensors: "F8_E4M3" },
  f8e5m2: { bytes: 1, float: true, array: Uint8Array, safetensors: "F8_E5M2" },
  i64: { bytes: 8, float: false, array: BigInt64Array, safetensors: "I64" },
  i32: { bytes: 4, float: false, array: Int32Array, safetensors: "I32" },
  i16: { bytes: 2, float: false, array: Int16Array, safetensors: "I16" },
  i8: { bytes: 1, float: false, array: Int8Array, safetensors: "I8" },
  u64: { bytes: 8, float: false, array: BigUint64Array, safetensors: "U64" },
  u32: { bytes: 4, float: false, array: Uint32Array, safetensors: "U32" },
  u16: { bytes: 2, float: false, array: Uint16Array, safetensors: "U16" },
  u8: { bytes: 1, float: false, array: Uint8Array, safetensors: "U8" },
  bool: { bytes: 1, float: false, array: Uint8Array, safetensors: "BOOL" },
};

/** Checks whether a string names an element type. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(DTYPES, name);
}
