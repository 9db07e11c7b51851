import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { viewBytes } from "../../tensor/tensor.ts";
import { PREFIX_BYTES, parseHeader, readHeaderLength } from "./header.ts";

/**
 * Opens a safetensors file: reads and checks its header now, and tensors on demand.
 *
 * The checkpoint owns `source` and closes it; on failure the caller must close it.
 * @param files - paths to report as read
 * @throws FormatError if the header is damaged, or does not match the file.
 * @throws UnsupportedError if a tensor has an unsupported element type.
 * @see https://github.com/huggingface/safetensors#format
 */
export async function openSafetensors(
  source: ByteSource,
  files: readonly string[] = [],
): Promise<Checkpoint> {
  const prefix = await source.read(0, Math.min(PREFIX_BYTES, source.size));
  const length = readHeaderLength(prefix, source.size, source.name);
  const json = await source.read(PREFIX_BYTES, PREFIX_BYTES + length);
  const { tensors, metadata } = parseHeader(json, source.size, source.name);
  return defineCheckpoint({
    source: source.name,
    tensors,
    metadata,
    files,
    async readInto(name, begin, out) {
      const tensor = entry(tensors, name, "tensor");
      await source.readInto(tensor.begin + begin * DTYPES[tensor.dtype].bytes, viewBytes(out));
    },
    close: () => source.close(),
  });
}
