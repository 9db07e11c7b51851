import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { sliceSource } from "../../io/slice-source.ts";
import type { DType } from "../../tensor/dtype.ts";
import { formatShape, sameShape } from "../../tensor/shape.ts";
import { formatErrors } from "../format-errors.ts";
import type { ReadPart } from "../pieces/piece.ts";
import { openTorchZip } from "../torch/open-torch-zip.ts";
import type { DcpChunk } from "./read-metadata.ts";

const formatError = formatErrors("dcp");

/** Most chunks whose directories are kept in memory, of about 3 kB each. */
const MOST_OPEN = 1_000;

/**
 * Reads chunks of distributed checkpoints, each of which is a file of `torch.save` within a file. A chunk is
 * opened when it is first read, so that opening a checkpoint of 100,000 chunks takes no reads of them.
 */
export class ChunkReader {
  readonly #open: Map<DcpChunk, Promise<Checkpoint>> = new Map();

  /** Makes the function that reads elements of a chunk from the file that holds the chunk. */
  reader(name: string, dtype: DType, chunk: DcpChunk, source: ByteSource): ReadPart {
    return async (begin, out) => {
      const stored = await this.#opened(chunk, source);
      const [lone, ...others] = [...stored.tensors];
      if (
        lone === undefined ||
        others.length > 0 ||
        lone[1].dtype !== dtype ||
        !sameShape(lone[1].shape, chunk.sizes)
      ) {
        const kinds = [...stored.tensors.values()].map(
          ({ dtype, shape }) => `${dtype} ${formatShape(shape)}`,
        );
        throw formatError(
          source,
          `the chunk of "${name}" at byte ${chunk.begin} must be ${dtype} ${formatShape(chunk.sizes)} as the metadata says: it is ${kinds.slice(0, 3).join(", ")}`,
        );
      }
      await stored.readRangeInto(lone[0], begin, out);
    };
  }

  #opened(chunk: DcpChunk, source: ByteSource): Promise<Checkpoint> {
    const earlier = this.#open.get(chunk);
    if (earlier !== undefined) return earlier;
    const name = `${source.name} at byte ${chunk.begin}`;
    const opened = openTorchZip(sliceSource(source, chunk.begin, chunk.length, name));
    for (const [oldest] of this.#open) {
      if (this.#open.size < MOST_OPEN) break;
      this.#open.delete(oldest);
    }
    this.#open.set(chunk, opened);
    return opened;
  }
}
