import { OutOfRangeError, UsageError } from "../errors.ts";
import { at } from "../invariant.ts";
import { DTYPES, type DType, type TensorData } from "./dtype.ts";

/** Stored elements, and the element type that defines the meaning of their bits; every `Tensor` is one. */
export interface Elements {
  /** Element type, which defines the meaning of the bits. */
  readonly dtype: DType;
  /** Elements in the array class that the element type is stored in, such as `Uint16Array` for `bf16`. */
  readonly data: TensorData;
}

/**
 * Checks that every array is the class of its element type, and that all have the same length as the last
 * one.
 * @param operation - name of the operation for the message
 * @throws UsageError if an array is not the class of its element type.
 * @throws OutOfRangeError if lengths differ.
 */
export function assertElements(operation: string, all: readonly Elements[]): void {
  const { length } = at(all, all.length - 1, "array").data;
  for (const { dtype, data } of all) {
    const { array } = DTYPES[dtype];
    if (!(data instanceof array)) {
      throw new UsageError(
        `Cannot ${operation} ${dtype} elements as they are kept in a ${array.name}: got ${(data as TensorData).constructor.name}`,
      );
    }
    if (data.length !== length) {
      throw new OutOfRangeError(
        `Cannot ${operation} elements as lengths must be equal: ${data.length} and ${length}`,
      );
    }
  }
}

/** Checks whether elements are 64-bit integers. */
export function isBig(data: TensorData): data is BigInt64Array | BigUint64Array {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}
