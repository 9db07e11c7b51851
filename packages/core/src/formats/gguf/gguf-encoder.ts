import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { InputError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { TensorEncoding } from "../../save/file-form.ts";
import { type RangeRule, streamTensor } from "../../save/stream-tensor.ts";
import { DTYPES, type DType, type TensorData } from "../../tensor/dtype.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { viewBytes } from "../../tensor/tensor.ts";
import type { WriteRangeOptions, WrittenRange } from "../safetensors/write-range.ts";
import { ggufTypeOf } from "./gguf-types.ts";

/** A tensor that is to be encoded for a GGUF file. */
export interface EncodedTensor extends Pick<TensorInfo, "shape"> {
  /** How the elements are encoded. */
  readonly encoding: TensorEncoding;
}

/** Function that encodes the elements of a tensor, and how these are to be read for it. */
interface GgufEncoder {
  /** Element type to which the tensor is converted first. */
  readonly dtype: DType;
  /** Ends of the ranges that the function takes; undefined for any whole blocks. */
  readonly range: RangeRule | undefined;
  /** Encodes elements, the first of which has the position `first` in the tensor. */
  readonly encode: (data: TensorData, first: number) => Uint8Array;
}

/** Creates the function that encodes the elements of a tensor as the type that it has in a GGUF file. */
export async function ggufEncoder(
  name: string,
  { shape, encoding: { number, importance } }: EncodedTensor,
): Promise<GgufEncoder> {
  const type = ggufTypeOf(number);
  const { dtype } = type;
  if (type.decoder === undefined) return { dtype, range: undefined, encode: viewBytes };
  const { quantizeRows } = await import("./kernels/quantize-rows.ts");
  const columns = shape.at(-1) ?? 1;
  const matrix = columns * (shape.at(-2) ?? 1);
  return {
    dtype,
    // A range has rows of one matrix alone, as each matrix of a stack has an importance of its own.
    range: importance && { unit: columns, within: matrix },
    encode(data, first) {
      const column = Math.floor(first / matrix) * columns;
      const ofColumns = importance?.subarray(column, column + columns);
      const rows = { number, type, columns, data: data as Float32Array, importance: ofColumns };
      const blocks = quantizeRows(rows);
      if (blocks !== undefined) return blocks;
      throw new InputError(
        `Cannot save "${name}" as ${type.name.toLowerCase()} as its numbers must be finite, and small enough for scales of 16 bits, below 5e5: some are not; choose f32 or bf16`,
        { input: name },
      );
    },
  };
}

/**
 * Returns the number of elements of a tensor that are encoded together, of which every range that is written
 * by itself must have a multiple: a block, or a row if columns have an importance; 1 for numbers.
 */
export function encodedTogether({
  shape,
  encoding,
}: Pick<TensorInfo, "shape"> & { readonly encoding?: TensorEncoding | undefined }): number {
  if (encoding === undefined) return 1;
  return encoding.importance === undefined ? ggufTypeOf(encoding.number).blockElements : (shape.at(-1) ?? 1);
}

/**
 * Writes elements of a tensor to their place in a GGUF file, encoded; ranges may be written in any order and
 * by several threads. `onBytes` gets the bytes that the elements have in the checkpoint.
 * @throws InputError if the file cannot be written, or an element is not finite, or too large for the type
 */
export async function writeEncodedRange(
  checkpoint: Checkpoint,
  { name, begin, end, file, position, encoding }: WrittenRange & Pick<EncodedTensor, "encoding">,
  { onBytes, ...options }: WriteRangeOptions,
): Promise<void> {
  const { dtype, shape } = entry(checkpoint.tensors, name, "tensor");
  const { encode, ...stream } = await ggufEncoder(name, { shape, encoding });
  const { blockElements, blockBytes } = ggufTypeOf(encoding.number);
  let first = begin;
  const reading = { name, begin, end, signal: undefined, ...options, ...stream };
  for await (const data of streamTensor(checkpoint, reading)) {
    await file.write(encode(data, first), position + (first / blockElements) * blockBytes);
    first += data.length;
    onBytes?.(data.length * DTYPES[dtype].bytes);
  }
}
