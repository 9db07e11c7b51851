import { allocateData, type DType, EngineError, sizeOf, type Tensor, type TensorData } from "@isthmus/core";
import type { Tensor as OrtTensor } from "onnxruntime-node";
import type { Runtime } from "./runtime.ts";

/** Names of element types in onnxruntime; types it cannot exchange are missing. */
const ORT_TYPES: Readonly<Partial<Record<DType, OrtTensor.Type>>> = {
  f64: "float64",
  f32: "float32",
  f16: "float16",
  i64: "int64",
  i32: "int32",
  i16: "int16",
  i8: "int8",
  u64: "uint64",
  u32: "uint32",
  u16: "uint16",
  u8: "uint8",
  bool: "bool",
};

const DTYPE_OF_TYPE: ReadonlyMap<string, DType> = new Map(
  Object.entries(ORT_TYPES).map(([dtype, type]) => [type, dtype as DType]),
);

/**
 * Converts a tensor to one of onnxruntime, which shares memory with it.
 * @throws EngineError if onnxruntime cannot exchange its element type
 */
export function toOrtTensor({ Tensor, engine }: Runtime, name: string, tensor: Tensor): OrtTensor {
  const type = ORT_TYPES[tensor.dtype];
  if (type === undefined) {
    throw new EngineError(
      `Cannot feed "${name}" to onnxruntime as it must be of a type that onnxruntime exchanges: it is ${tensor.dtype}, convert it to f32`,
      { engine },
    );
  }
  return new Tensor(type, tensor.data as OrtTensor.DataType, tensor.shape);
}

/**
 * Returns the element type of a tensor of onnxruntime.
 * @throws EngineError if it is not numeric
 */
export function dtypeOf({ engine }: Runtime, name: string, { type }: Pick<OrtTensor, "type">): DType {
  const dtype = DTYPE_OF_TYPE.get(type);
  if (dtype !== undefined) return dtype;
  throw new EngineError(`Cannot use output "${name}" of onnxruntime as it must be numeric: it is ${type}`, {
    engine,
  });
}

/** Converts a tensor of onnxruntime to one of Isthmus, which shares memory with it. */
export function fromOrtTensor(runtime: Runtime, name: string, tensor: OrtTensor): Tensor {
  const dtype = dtypeOf(runtime, name, tensor);
  // An empty output has no data.
  const data = sizeOf(tensor.dims) === 0 ? allocateData(dtype, 0) : (tensor.data as TensorData);
  return { dtype, shape: tensor.dims, data };
}
