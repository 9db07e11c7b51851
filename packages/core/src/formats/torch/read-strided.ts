import { DTYPES, type TensorData } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { viewBytes, viewData } from "../../tensor/tensor.ts";
import { gatherStrided } from "./kernels/gather-strided.ts";
import { spanOf, type TorchTensor } from "./tensors.ts";

/** Reads bytes of a storage into `out`, from byte `begin` on. */
export type ReadStorage = (key: string, begin: number, out: Uint8Array) => Promise<void>;

/** Fills `out` with elements of a contiguous tensor, from element `begin` on, in one read. */
export async function readContiguous(
  tensor: TorchTensor,
  begin: number,
  out: TensorData,
  readStorage: ReadStorage,
): Promise<void> {
  const width = DTYPES[tensor.dtype].bytes;
  await readStorage(tensor.storage.key, (tensor.offset + begin) * width, viewBytes(out));
}

/** Reads a whole tensor of any strides into row-major order. */
export async function readStrided(tensor: TorchTensor, readStorage: ReadStorage): Promise<TensorData> {
  const { dtype, shape, strides, offset, storage } = tensor;
  const { bytes: width, array } = DTYPES[dtype];
  const span = new Uint8Array(spanOf(tensor) * width);
  await readStorage(storage.key, offset * width, span);
  const source = viewData(dtype, span);
  const out = new array(sizeOf(shape));
  gatherStrided(source, shape, strides, out);
  return out;
}
