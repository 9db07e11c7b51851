import { convertData, type DType, type Tensor, UnsupportedError } from "@isthmus/core";
import type { DataType } from "@tensorflow/tfjs";
import type { Tfjs, TfTensor } from "./tfjs-types.ts";

/**
 * Element types of TensorFlow.js that represent all values of a type; 64-bit integers are limited to 32 bits.
 */
const TF_TYPES: Readonly<Partial<Record<DType, "float32" | "int32" | "bool">>> = {
  f32: "float32",
  i64: "int32",
  i32: "int32",
  i16: "int32",
  i8: "int32",
  u16: "int32",
  u8: "int32",
  bool: "bool",
};

/**
 * A tensor of TensorFlow.js, and its element type in the graph, as several of our types share a type of
 * TensorFlow.js.
 */
export interface TfValue {
  /** Tensor of TensorFlow.js, which its owner must dispose of. */
  readonly tensor: TfTensor;
  /** Element type that the graph gives to the value, such as `i64` for a tensor of `int32`. */
  readonly dtype: DType;
}

/**
 * Returns the element type of TensorFlow.js that stores a type.
 * @throws UnsupportedError if no type can represent all its values
 */
export function tfTypeOf(dtype: DType, name: string): "float32" | "int32" | "bool" {
  const type = TF_TYPES[dtype];
  if (type !== undefined) return type;
  throw new UnsupportedError(
    `Cannot use "${name}" on TensorFlow.js as it computes in f32, i32 and bool: it is ${dtype}, convert it or use onnxruntime`,
    { feature: dtype },
  );
}

/** Copies a tensor to TensorFlow.js; integers beyond 32 bits become the nearest 32-bit integers. */
export function toTfTensor(tf: Tfjs, name: string, { dtype, shape, data }: Tensor): TfTensor {
  const type = tfTypeOf(dtype, name);
  const elements = type === "int32" ? (convertData(data, dtype, "i32") as Int32Array) : data;
  // The elements are copied, since the JavaScript backend would use the caller's array.
  return tf.tensor(elements.slice() as Float32Array, [...shape], type);
}

/** Copies a tensor from TensorFlow.js. */
export function fromTfTensor({ tensor, dtype }: TfValue): Tensor {
  const data = tensor.dataSync<DataType>() as Float32Array | Int32Array | Uint8Array;
  const { shape } = tensor;
  if (dtype === "f32" || dtype === "bool" || dtype === "i32") return { dtype, shape, data: data.slice() };
  return { dtype, shape, data: convertData(Int32Array.from(data), "i32", dtype) };
}

/** Returns the elements of a tensor of TensorFlow.js as numbers. */
export function numbersOf(tensor: TfTensor): number[] {
  return Array.from(tensor.dataSync<DataType>() as ArrayLike<number>);
}
