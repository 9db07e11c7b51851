import { join } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { openFileSource } from "../../io/file-source.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { formatErrors } from "../format-errors.ts";
import { nestByPath } from "../nest-by-path.ts";
import { defineJoinedCheckpoint, type JoinedTensor } from "../pieces/define-joined-checkpoint.ts";
import { openTogether } from "../pieces/open-together.ts";
import { DCP_METADATA } from "../run-file-names.ts";
import { collectLeaves } from "../torch/collect-tensors.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { type DcpTensor, readDcpMetadata } from "./read-metadata.ts";

const formatError = formatErrors("dcp");

/**
 * Opens a folder that `torch.distributed.checkpoint` wrote, also of FSDP and of Megatron's `torch_dist`:
 * `.metadata` and files of chunks, `__0_0.distcp` and so on. Tensors that several processes held are put
 * together.
 *
 * Names are those to which PyTorch flattens nested states; a wrapper such as `model` and the state of an
 * optimizer are left out as of files of `torch.save`. No code in the files is run.
 * @throws InputError if a file of chunks is missing
 * @throws FormatError if a file is damaged, or chunks do not cover a tensor, each element once
 * @throws UnsupportedError if an entry is of another kind, or chunks are transformed
 */
export async function openDcp(folder: string): Promise<Checkpoint> {
  const path = join(folder, DCP_METADATA);
  const stored = [...(await readMetadata(path, folder)).values()];
  const tensors = collectLeaves(nestByPath(stored.map((tensor) => [tensor.path, tensor])), path, isDcpTensor);
  const names = [
    ...new Set([...tensors.values()].flatMap(({ chunks }) => chunks.map(({ file }) => file))),
  ].sort();
  return openTogether({ format: "dcp", folder, names }, (sources) => {
    const reader = new ChunkReader();
    const joined = new Map<string, JoinedTensor>();
    for (const [name, tensor] of tensors) joined.set(name, joinTensor(name, tensor, sources, reader));
    return defineJoinedCheckpoint({
      format: "dcp",
      source: folder,
      tensors: joined,
      files: [path, ...[...sources.values()].map((source) => source.name)],
      close: async () => {
        for (const source of sources.values()) await source.close();
      },
    });
  });
}

async function readMetadata(path: string, folder: string): Promise<Map<string, DcpTensor>> {
  const source = await openFileSource(path, folder);
  try {
    return await readDcpMetadata(source);
  } finally {
    await source.close();
  }
}

function isDcpTensor(value: unknown): value is DcpTensor {
  return typeof value === "object" && value !== null && "chunks" in value;
}

function joinTensor(
  name: string,
  { dtype, shape, chunks }: DcpTensor,
  sources: ReadonlyMap<string, ByteSource>,
  reader: ChunkReader,
): JoinedTensor {
  const pieces = chunks.map((chunk) => {
    const source = entry(sources, chunk.file, "file");
    const bytes = sizeOf(chunk.sizes) * DTYPES[dtype].bytes;
    if (chunk.begin + chunk.length > source.size || bytes > chunk.length) {
      throw formatError(
        source,
        `it must hold the chunk of "${name}" from byte ${chunk.begin}, of ${chunk.length} bytes, with ${bytes} of elements: it has ${source.size}`,
      );
    }
    const { offsets, sizes } = chunk;
    return { offsets, sizes, origin: source.name, read: reader.reader(name, dtype, chunk, source) };
  });
  return { dtype, shape, pieces };
}
