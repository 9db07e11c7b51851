import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { FormatError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { DTYPES, type TensorData } from "../../tensor/dtype.ts";
import { gatherStrided } from "../../tensor/kernels/gather-strided.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { viewBytes, viewData } from "../../tensor/tensor.ts";
import { keepLast } from "../keep-last.ts";
import { isContiguous, spanOf, type TorchTensor } from "./tensors.ts";

/**
 * Makes a checkpoint of the tensors that a file of PyTorch holds.
 *
 * Contiguous tensors are read by range. Other tensors are read as a whole, and the last one is kept in memory
 * in row-major order, so that its storage is not read again for each range.
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
  const readTensor = tensorReader(tensors, readStorage);
  return defineCheckpoint({
    source: source.name,
    tensors,
    files,
    readInto: readTensor,
    close: () => source.close(),
  });
}

/**
 * Makes the function that reads elements of tensors by name: contiguous ones by range, of others the whole
 * tensor, of which the last is kept.
 */
export function tensorReader(
  tensors: ReadonlyMap<string, TorchTensor>,
  readStorage: ReadStorage,
): (name: string, begin: number, out: TensorData) => Promise<void> {
  const readLast = keepLast((name) => readStrided(entry(tensors, name, "tensor"), readStorage));
  return async (name, begin, out) => {
    const tensor = entry(tensors, name, "tensor");
    if (isContiguous(tensor)) return readContiguous(tensor, begin, out, readStorage);
    const data = await readLast(name);
    viewBytes(out).set(viewBytes(data.subarray(begin, begin + out.length)));
  };
}

/** Reads bytes of a storage into `out`, from byte `begin` on. */
export type ReadStorage = (key: string, begin: number, out: Uint8Array) => Promise<void>;

/** Fills `out` with elements of a contiguous tensor, from element `begin` on, in one read. */
async function readContiguous(
  tensor: TorchTensor,
  begin: number,
  out: TensorData,
  readStorage: ReadStorage,
): Promise<void> {
  const width = DTYPES[tensor.dtype].bytes;
  await readStorage(tensor.storage.key, (tensor.offset + begin) * width, viewBytes(out));
}

/** Reads a whole tensor of any strides into row-major order. */
async function readStrided(tensor: TorchTensor, readStorage: ReadStorage): Promise<TensorData> {
  const { dtype, shape, strides, offset, storage } = tensor;
  const { bytes: width, array } = DTYPES[dtype];
  const span = new Uint8Array(spanOf(tensor) * width);
  await readStorage(storage.key, offset * width, span);
  const source = viewData(dtype, span);
  const out = new array(sizeOf(shape));
  gatherStrided(source, shape, strides, out);
  return out;
}
