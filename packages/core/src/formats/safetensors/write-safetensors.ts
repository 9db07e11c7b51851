import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { explainNonFinite } from "../../checkpoint/non-finite.ts";
import { entry } from "../../invariant.ts";
import { BufferedWriter } from "../../io/buffered-writer.ts";
import type { OutputFile } from "../../io/output-file.ts";
import { convertInto } from "../../tensor/convert.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import type { Elements } from "../../tensor/elements.ts";
import { findNonFinite } from "../../tensor/measure.ts";
import { borrowScratch } from "../../tensor/scratch.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { viewData } from "../../tensor/tensor.ts";
import type { StoredTensor } from "./header.ts";
import type { SafetensorsLayout } from "./layout.ts";

/** Number of bytes that are read at once: few enough to stay in the cache until they are used. */
export const READ_BYTES: number = 128 * 1024;

/** Options of {@link writeSafetensors}. */
export interface StreamOptions {
  /** Number of bytes that are written at once, a multiple of 8. */
  readonly chunkBytes: number;
  /** Number of buffers of `chunkBytes`: while one is filled, the others are being written. */
  readonly buffers: number;
  /** Whether NaN, infinities, and numbers that overflow the element type may be written. */
  readonly allowNonFinite: boolean;
  /** Signal that stops the work between two writes; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
  /** Called after each write with the bytes just written. */
  readonly onBytes: (bytes: number) => void;
}

/** Elements `[begin, end)` of one tensor, and the position in a chunk at which they are written. */
interface Piece {
  readonly name: string;
  readonly tensor: StoredTensor;
  readonly begin: number;
  readonly end: number;
  readonly offset: number;
}

/** Consecutive pieces of the file that are written at once. */
interface Chunk {
  readonly position: number;
  readonly bytes: number;
  readonly pieces: readonly Piece[];
}

/**
 * Writes the tensors of a layout, read from `checkpoint` range by range and converted to the element types of
 * the layout. Memory is needed for the buffers, and for one more range if element types differ.
 */
export async function writeSafetensors(
  checkpoint: Checkpoint,
  layout: SafetensorsLayout,
  file: OutputFile,
  options: StreamOptions,
): Promise<void> {
  await file.write(layout.header, 0);
  options.onBytes(layout.header.length);
  const bytes = Math.min(options.chunkBytes, layout.size);
  const buffers = Array.from({ length: options.buffers }, () => borrowScratch(bytes));
  // Memory for a range of the widest element type, with as many elements as a range of the narrowest type.
  const input = borrowScratch(8 * READ_BYTES);
  const writer = new BufferedWriter(buffers, file, options.onBytes);
  try {
    for (const chunk of planChunks(layout, options.chunkBytes)) {
      options.signal?.throwIfAborted();
      const output = await writer.nextBuffer();
      for (const piece of chunk.pieces) {
        const elements = await fillPiece(checkpoint, piece, output, input.bytes);
        // The elements just filled are in the cache, so that scanning them costs next to nothing.
        if (!options.allowNonFinite && findNonFinite(elements) >= 0) {
          throw await explainNonFinite(checkpoint, piece.name, piece.tensor.dtype);
        }
      }
      writer.start(output.subarray(0, chunk.bytes), chunk.position);
    }
  } finally {
    // Pending writes must end before the buffers are released, and before the file may be removed.
    await writer.settle();
    for (const scratch of [...buffers, input]) scratch.release();
  }
  writer.throwFailure();
}

/** Splits a file into chunks, lazily: large tensors into several, neighbouring small tensors into one. */
function* planChunks(layout: SafetensorsLayout, chunkBytes: number): Generator<Chunk> {
  let position = layout.header.length;
  let bytes = 0;
  let pieces: Piece[] = [];
  for (const [name, tensor] of layout.tensors) {
    const width = DTYPES[tensor.dtype].bytes;
    const size = sizeOf(tensor.shape);
    for (let begin = 0; begin < size; ) {
      const room = Math.floor(Math.min(READ_BYTES, chunkBytes - bytes) / width);
      if (room === 0) {
        yield { position, bytes, pieces };
        position += bytes;
        [bytes, pieces] = [0, []];
        continue;
      }
      const end = Math.min(begin + room, size);
      pieces.push({ name, tensor, begin, end, offset: bytes });
      bytes += (end - begin) * width;
      begin = end;
    }
  }
  if (bytes > 0) yield { position, bytes, pieces };
}

/**
 * Reads a piece into its place in a chunk and returns it;
 * elements that must be converted are first read into `input`.
 */
async function fillPiece(
  checkpoint: Checkpoint,
  { name, tensor: { dtype }, begin, end, offset }: Piece,
  output: Uint8Array,
  input: Uint8Array,
): Promise<Elements> {
  const out = viewData(dtype, output.subarray(offset, offset + (end - begin) * DTYPES[dtype].bytes));
  const stored = entry(checkpoint.tensors, name, "tensor").dtype;
  if (stored === dtype) {
    await checkpoint.readRangeInto(name, begin, out);
    return { dtype, data: out };
  }
  const data = viewData(stored, input.subarray(0, (end - begin) * DTYPES[stored].bytes));
  await checkpoint.readRangeInto(name, begin, data);
  convertInto({ data, dtype: stored }, { data: out, dtype });
  return { dtype, data: out };
}
