import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { explainNonFinite } from "../checkpoint/non-finite.ts";
import { entry } from "../invariant.ts";
import { convertInto } from "../tensor/convert.ts";
import type { DType, TensorData } from "../tensor/dtype.ts";
import { findNonFinite } from "../tensor/measure.ts";
import { sizeOf } from "../tensor/shape.ts";
import { allocateData } from "../tensor/tensor.ts";

/** Number of elements that are read at once: a multiple of the block sizes of all formats. */
const RANGE = 2 ** 18;

/** Ends of the ranges of a tensor, for encodings that need whole rows. */
export interface RangeRule {
  /** Elements of a row: ranges are whole rows. */
  readonly unit: number;
  /** Elements of a matrix: no range goes beyond the matrix in which it begins. */
  readonly within: number;
}

/** Options of {@link streamTensor}: range, element type and checks. */
export interface TensorStream {
  /** Name of the tensor in the checkpoint. */
  readonly name: string;
  /** Element type to convert to. */
  readonly dtype: DType;
  /** Whether NaN and infinities are allowed. */
  readonly allowNonFinite: boolean;
  /** Signal that stops the work between two ranges; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Ends of ranges. @defaultValue after a number of elements that all blocks divide */
  readonly range?: RangeRule | undefined;
  /** Position of the first element that is read. @defaultValue 0 */
  readonly begin?: number;
  /** Position after the last element that is read. @defaultValue the size of the tensor */
  readonly end?: number;
}

/**
 * Reads a tensor, or a part of it, range by range in row-major order, converted to an element type. The same
 * array is reused for every range.
 * @throws InputError if a number is NaN or infinite, or overflows `dtype`, unless that is allowed
 */
export async function* streamTensor(
  checkpoint: Checkpoint,
  { name, dtype, allowNonFinite, signal, range, begin: first = 0, end: last }: TensorStream,
): AsyncGenerator<TensorData> {
  const info = entry(checkpoint.tensors, name, "tensor");
  const size = last ?? sizeOf(info.shape);
  const most = range === undefined ? RANGE : Math.max(1, Math.floor(RANGE / range.unit)) * range.unit;
  const within = range?.within ?? size;
  const stored = allocateData(info.dtype, Math.min(most, size - first));
  const converted = info.dtype === dtype ? stored : allocateData(dtype, stored.length);
  for (let begin = first, end = first; begin < size; begin = end) {
    signal?.throwIfAborted();
    end = Math.min(size, begin + most, (Math.floor(begin / within) + 1) * within);
    const input = stored.subarray(0, end - begin);
    await checkpoint.readRangeInto(name, begin, input);
    const data = converted.subarray(0, input.length);
    if (dtype !== info.dtype) convertInto({ dtype: info.dtype, data: input }, { dtype, data });
    if (!allowNonFinite && findNonFinite({ dtype, data }) >= 0)
      throw await explainNonFinite(checkpoint, name, dtype);
    yield data;
  }
}
