import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { explainNonFinite } from "../../checkpoint/non-finite.ts";
import { entry } from "../../invariant.ts";
import { BufferedWriter } from "../../io/buffered-writer.ts";
import type { PositionalFile } from "../../io/positional-file.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { findNonFinite } from "../../tensor/measure.ts";
import { borrowScratch } from "../../tensor/scratch.ts";
import { viewData } from "../../tensor/tensor.ts";
import { READ_BYTES } from "./write-safetensors.ts";

/** Number of bytes that are written at once. */
const CHUNK_BYTES = 2 ** 20;

/** Number of buffers: while one is filled, the others are being written. */
const BUFFERS = 4;

/** Elements `[begin, end)` of one tensor, and the position of the tensor in a file. */
export interface WrittenRange {
  /** Name of the tensor in the checkpoint. */
  readonly name: string;
  /** Position of the first element, in row-major order. */
  readonly begin: number;
  /** Position after the last element. */
  readonly end: number;
  /** File that is written to; other ranges may be written at the same time. */
  readonly file: Pick<PositionalFile, "write">;
  /** Position in the file of the first byte of the tensor. */
  readonly position: number;
}

/** Options of {@link writeTensorRange}. */
export interface WriteRangeOptions {
  /** Whether NaN and infinities may be written. */
  readonly allowNonFinite: boolean;
  /** Signal that stops the work between two writes. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each write with the bytes just written. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Writes a range of a tensor to its position in a file, in the tensor's element type; ranges may be written
 * in any order and by several threads. Writing needs 4 MiB of memory, in addition to reading.
 * @throws InputError if the file cannot be written, or an element is NaN or infinite although that is not
 *   allowed
 */
export async function writeTensorRange(
  checkpoint: Checkpoint,
  { name, begin, end, file, position }: WrittenRange,
  { allowNonFinite, signal, onBytes }: WriteRangeOptions,
): Promise<void> {
  const { dtype } = entry(checkpoint.tensors, name, "tensor");
  const width = DTYPES[dtype].bytes;
  const chunk = CHUNK_BYTES / width;
  const size = Math.min(CHUNK_BYTES, (end - begin) * width);
  const buffers = Array.from({ length: Math.min(BUFFERS, Math.ceil((end - begin) / chunk)) }, () =>
    borrowScratch(size),
  );
  const writer = new BufferedWriter(buffers, file, (bytes) => onBytes?.(bytes));
  try {
    for (let from = begin; from < end; from += chunk) {
      signal?.throwIfAborted();
      const output = await writer.nextBuffer();
      const to = Math.min(from + chunk, end);
      for (let first = from; first < to; first += READ_BYTES / width) {
        const last = Math.min(first + READ_BYTES / width, to);
        const data = viewData(dtype, output.subarray((first - from) * width, (last - from) * width));
        await checkpoint.readRangeInto(name, first, data);
        // The elements just filled are in the cache, so that scanning them costs next to nothing.
        if (!allowNonFinite && findNonFinite({ dtype, data }) >= 0)
          throw await explainNonFinite(checkpoint, name, dtype);
      }
      writer.start(output.subarray(0, (to - from) * width), position + from * width);
    }
  } finally {
    // Pending writes must end before the buffers are released.
    await writer.settle();
    for (const scratch of buffers) scratch.release();
  }
  writer.throwFailure();
}
