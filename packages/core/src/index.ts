export type { Checkpoint } from "./checkpoint/checkpoint.ts";
export {
  EngineError,
  FormatError,
  InputError,
  IsthmusError,
  type IsthmusErrorTag,
  isIsthmusError,
  MismatchError,
  UnsupportedError,
} from "./errors.ts";
export type { ByteSource } from "./io/byte-source.ts";
export { resolveOptions } from "./options.ts";
export { DTYPES, type DType, type DTypeInfo, isDType, type TensorData } from "./tensor/dtype.ts";
export { formatShape, sameShape, sizeOf, stridesOf } from "./tensor/shape.ts";
export {
  allocateData,
  byteLengthOf,
  createTensor,
  type Tensor,
  type TensorInfo,
  viewBytes,
  viewData,
} from "./tensor/tensor.ts";
