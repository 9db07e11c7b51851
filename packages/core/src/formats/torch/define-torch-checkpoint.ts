import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { FormatError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import type { TensorData } from "../../tensor/dtype.ts";
import { viewBytes } from "../../tensor/tensor.ts";
import { type ReadStorage, readContiguous, readStrided } from "./read-strided.ts";
import { isContiguous, type TorchTensor } from "./tensors.ts";

/**
 * Creates the checkpoint of a file that PyTorch saved from the tensors found in it.
 *
 * Contiguous tensors are read by range. The tensor of other strides that was read last stays in memory, whole
 * and in row-major order, so that reading it range by range does not read its storage again each time.
 * @throws FormatError if there are no tensors.
 */
export function defineTorchCheckpoint(
  source: ByteSource,
  tensors: ReadonlyMap<string, TorchTensor>,
  files: readonly string[],
  readStorage: ReadStorage,
): Checkpoint {
  if (tensors.size === 0) {
    throw new FormatError(
      `Cannot read "${source.name}" as there must be tensors in what was saved: there are none`,
      {
        format: "torch",
      },
    );
  }
  let cached: { readonly name: string; readonly data: Promise<TensorData> } | undefined;
  return defineCheckpoint({
    source: source.name,
    tensors,
    files,
    async readInto(name, begin, out) {
      const tensor = entry(tensors, name, "tensor");
      if (isContiguous(tensor)) return readContiguous(tensor, begin, out, readStorage);
      if (cached?.name !== name) cached = { name, data: readStrided(tensor, readStorage) };
      const data = await cached.data;
      viewBytes(out).set(viewBytes(data.subarray(begin, begin + out.length)));
    },
    close: () => source.close(),
  });
}
