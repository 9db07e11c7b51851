import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { OutputFile } from "../../io/output-file.ts";
import { convertInto } from "../../tensor/convert.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { viewData } from "../../tensor/tensor.ts";
import type { StoredTensor } from "./header.ts";
import type { SafetensorsLayout } from "./layout.ts";

/** How {@link writeSafetensors} streams. */
export interface StreamOptions {
  /** Bytes written at once. */
  readonly chunkBytes: number;
  /** Chunks under way at once, each with buffers of its own: reading one overlaps writing another. */
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  /** Called after each write with the bytes just written. */
  readonly onBytes: (bytes: number) => void;
}

/** Elements `[begin, end)` of one tensor. */
interface Piece {
  readonly name: string;
  readonly tensor: StoredTensor;
  readonly begin: number;
  readonly end: number;
}

/** Pieces that follow one another in the file and are written at once. */
interface Chunk {
  readonly position: number;
  readonly bytes: number;
  readonly pieces: readonly Piece[];
}

/** Buffers of one worker, used again for every chunk. */
interface Buffers {
  readonly output: Uint8Array;
  /** Elements as they are read, where they must be converted. */
  readonly input: Uint8Array;
}

/**
 * Writes the tensors of a layout, read from `checkpoint` by range and converted to the element types of the
 * layout. Memory is `concurrency` times `chunkBytes`, and as much again (up to eight times for 1-byte outputs)
 * where types differ.
 */
export async function writeSafetensors(
  checkpoint: Checkpoint,
  layout: SafetensorsLayout,
  file: OutputFile,
  options: StreamOptions,
): Promise<void> {
  await file.write(layout.header, 0);
  options.onBytes(layout.header.length);
  const chunks = planChunks(layout, options.chunkBytes)[Symbol.iterator]();
  let failed = false;
  const work = async (): Promise<void> => {
    const buffers = createBuffers(checkpoint, layout, options.chunkBytes);
    for (let next = chunks.next(); !next.done; next = chunks.next()) {
      options.signal?.throwIfAborted();
      const { value: chunk } = next;
      await fillChunk(checkpoint, chunk, buffers);
      if (failed) return;
      await file.write(buffers.output.subarray(0, chunk.bytes), chunk.position);
      options.onBytes(chunk.bytes);
    }
  };
  const workers = Array.from({ length: options.concurrency }, () =>
    work().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  // All must have stopped before the caller removes the file they write to.
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** Cuts a file into chunks, lazily: big tensors into several, neighbouring small ones into one. */
function* planChunks(layout: SafetensorsLayout, chunkBytes: number): Generator<Chunk> {
  let position = layout.header.length;
  let bytes = 0;
  let pieces: Piece[] = [];
  for (const [name, tensor] of layout.tensors) {
    const width = DTYPES[tensor.dtype].bytes;
    const size = sizeOf(tensor.shape);
    for (let begin = 0; begin < size; ) {
      const room = Math.floor((chunkBytes - bytes) / width);
      if (room === 0) {
        yield { position, bytes, pieces };
        position += bytes;
        [bytes, pieces] = [0, []];
        continue;
      }
      const end = Math.min(begin + room, size);
      pieces.push({ name, tensor, begin, end });
      bytes += (end - begin) * width;
      begin = end;
    }
  }
  if (bytes > 0) yield { position, bytes, pieces };
}

function createBuffers(checkpoint: Checkpoint, layout: SafetensorsLayout, chunkBytes: number): Buffers {
  let ratio = 0;
  for (const [name, { dtype }] of layout.tensors) {
    const stored = checkpoint.tensors.get(name)?.dtype ?? dtype;
    if (stored !== dtype) ratio = Math.max(ratio, DTYPES[stored].bytes / DTYPES[dtype].bytes);
  }
  const largest = Math.min(chunkBytes, layout.size);
  return { output: new Uint8Array(largest), input: new Uint8Array(Math.ceil(largest * ratio)) };
}

async function fillChunk(checkpoint: Checkpoint, chunk: Chunk, buffers: Buffers): Promise<void> {
  let offset = 0;
  for (const { name, tensor, begin, end } of chunk.pieces) {
    const { dtype } = tensor;
    const bytes = (end - begin) * DTYPES[dtype].bytes;
    const out = viewData(dtype, buffers.output.subarray(offset, offset + bytes));
    const stored = checkpoint.tensors.get(name)?.dtype ?? dtype;
    if (stored === dtype) await checkpoint.readRangeInto(name, begin, out);
    else {
      const input = viewData(stored, buffers.input.subarray(0, (end - begin) * DTYPES[stored].bytes));
      await checkpoint.readRangeInto(name, begin, input);
      convertInto({ data: input, dtype: stored }, { data: out, dtype });
    }
    offset += bytes;
  }
}
