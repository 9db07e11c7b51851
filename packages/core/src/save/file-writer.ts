import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { OutputFile } from "../io/output-file.ts";
import type { DType, TensorData } from "../tensor/dtype.ts";
import { type RangeRule, streamTensor } from "./stream-tensor.ts";

/** Options of {@link createFileWriter}. */
export interface FileWriterOptions {
  /** Whether NaN, infinities, and numbers that overflow the element type may be written. */
  readonly allowNonFinite: boolean;
  /** Signal that stops the work between two ranges; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called after each write with the bytes just written. */
  readonly onBytes: (bytes: number) => void;
}

/** Writer of a file from its beginning to its end, which can also overwrite single positions. */
export interface FileWriter {
  /** Returns the position of the next byte. */
  position(): number;
  /** Writes bytes at the end of the file. */
  append(bytes: Uint8Array): Promise<void>;
  /** Writes bytes over earlier ones. */
  patch(bytes: Uint8Array, position: number): Promise<void>;
  /**
   * Writes the elements of a tensor at the end of the file.
   * @param encode - encodes a range of elements as bytes, from the position of its first element on
   */
  appendTensor(
    tensor: { readonly name: string; readonly dtype: DType; readonly range?: RangeRule | undefined },
    encode: (data: TensorData, first: number) => Uint8Array,
  ): Promise<void>;
}

/** Creates the writer of a file for tensors of a checkpoint. */
export function createFileWriter(
  checkpoint: Checkpoint,
  file: Pick<OutputFile, "write">,
  { allowNonFinite, signal, onBytes }: FileWriterOptions,
): FileWriter {
  let position = 0;
  const append = async (bytes: Uint8Array): Promise<void> => {
    await file.write(bytes, position);
    position += bytes.length;
    onBytes(bytes.length);
  };
  return {
    position: () => position,
    append,
    patch: (bytes, at) => file.write(bytes, at),
    async appendTensor(tensor, encode) {
      let first = 0;
      for await (const data of streamTensor(checkpoint, { ...tensor, allowNonFinite, signal })) {
        await append(encode(data, first));
        first += data.length;
      }
    },
  };
}
