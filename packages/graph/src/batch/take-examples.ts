import { allocateData, OutOfRangeError, sizeOf, type Tensor } from "@isthmus/core";
import type { BatchPlace } from "./batch-place.ts";

/** Range of examples of a batch. */
export interface ExampleRange {
  /** Index of the first example of the range, from 0. */
  readonly begin: number;
  /** End of the range, exclusive. */
  readonly end: number;
}

/**
 * Takes some examples out of a value of a batch; shares the value's memory if they are adjacent.
 * @param place - position of the batch in the value
 */
export function takeExamples(tensor: Tensor, place: BatchPlace, { begin, end }: ExampleRange): Tensor {
  const { dtype, shape, data } = tensor;
  const { axis, outer, inner } = place;
  const rows = sizeOf(shape.slice(0, axis)) * outer;
  const width = inner * sizeOf(shape.slice(axis + 1));
  const stride = data.length / rows;
  const taken = shape.with(axis, outer * (end - begin) * inner);
  if (rows === 1) return { dtype, shape: taken, data: data.subarray(begin * width, end * width) };
  const length = (end - begin) * width;
  const out = allocateData(dtype, rows * length);
  for (let row = 0; row < rows; row++) {
    const first = row * stride + begin * width;
    out.set(data.subarray(first, first + length) as never, row * length);
  }
  return { dtype, shape: taken, data: out };
}

/**
 * Joins tensors along their first axis; all other axes are equal.
 * @throws OutOfRangeError if there is no tensor
 */
export function joinRows(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new OutOfRangeError("Cannot join tensors as there must be one: got none");
  const data = allocateData(
    first.dtype,
    tensors.reduce((length, tensor) => length + tensor.data.length, 0),
  );
  let offset = 0;
  for (const tensor of tensors) {
    data.set(tensor.data as never, offset);
    offset += tensor.data.length;
  }
  const rows = tensors.reduce((sum, { shape: [extent = 0] }) => sum + extent, 0);
  return { dtype: first.dtype, shape: [rows, ...first.shape.slice(1)], data };
}
