import { OutOfRangeError, UsageError } from "../errors.ts";
import { DTYPES, type DType, type TensorData } from "./dtype.ts";
import type { Elements } from "./elements.ts";
import { formatShape, sizeOf } from "./shape.ts";

/** Element type and shape of a tensor, without its elements. */
export interface TensorInfo {
  /** Type of the elements once they are read, such as `f32` or `bf16`. */
  readonly dtype: DType;
  /** Extents, outermost first; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Encoding of the elements in the file, if it differs from `dtype`: `Q4_K`, `f8e4m3 with scales`. */
  readonly stored?: string;
}

/** A dense row-major array of stored elements; `data.length` is the product of `shape`. */
export interface Tensor extends TensorInfo, Elements {
  /** Elements in row-major order, in the array class of the element type. */
  readonly data: TensorData;
}

/**
 * Creates a tensor from `data`, which is not copied.
 * @throws UsageError if `data` is not the array class of `dtype`.
 * @throws OutOfRangeError if `data.length` is not the product of `shape`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor } from "@isthmus/core";
 *
 * const weight = createTensor("f32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)); // two rows of three
 * assert.deepEqual(weight.shape, [2, 3]);
 * assert.throws(() => createTensor("f32", [2, 2], new Float32Array(3)), /needs 4 elements: got 3/);
 * ```
 */
export function createTensor(dtype: DType, shape: readonly number[], data: TensorData): Tensor {
  if (!(data instanceof DTYPES[dtype].array)) {
    const expected = DTYPES[dtype].array.name;
    throw new UsageError(
      `Cannot create a tensor of ${dtype} as it needs a ${expected}: got ${data.constructor.name}`,
    );
  }
  if (data.length !== sizeOf(shape)) {
    throw new OutOfRangeError(
      `Cannot create a tensor of shape ${formatShape(shape)} as it needs ${sizeOf(shape)} elements: got ${data.length}`,
    );
  }
  return { dtype, shape, data };
}

/** Returns the number of bytes that a stored tensor occupies. */
export function byteLengthOf(info: TensorInfo): number {
  return sizeOf(info.shape) * DTYPES[info.dtype].bytes;
}

/**
 * Allocates stored elements of `dtype`, all zero.
 * @throws OutOfRangeError if the length exceeds the limit of arrays, or the available memory
 */
export function allocateData(dtype: DType, length: number): TensorData {
  try {
    return new DTYPES[dtype].array(length);
  } catch (cause) {
    throw new OutOfRangeError(
      `Cannot allocate ${length} elements of ${dtype} as they must fit the memory: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/**
 * Views bytes as stored elements of `dtype`; shares memory with `bytes`, unless they are misaligned for the
 * element type: then they are copied.
 */
export function viewData(dtype: DType, bytes: Uint8Array): TensorData {
  const { bytes: width, array } = DTYPES[dtype];
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new array(aligned.buffer, aligned.byteOffset, aligned.byteLength / width);
}

/** Views stored elements as bytes; shares memory with `data`. */
export function viewBytes(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
