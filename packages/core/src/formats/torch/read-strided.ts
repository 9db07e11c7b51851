import { DTYPES, type TensorData } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { viewBytes, viewData } from "../../tensor/tensor.ts";
import { spanOf, type TorchTensor } from "./tensors.ts";

/** Reads bytes of a storage into `out`, from byte `begin` on. */
export type ReadStorage = (key: string, begin: number, out: Uint8Array) => Promise<void>;

/** Fills `out` with elements of a contiguous tensor, from element `begin` on: one read. */
export async function readContiguous(
  tensor: TorchTensor,
  begin: number,
  out: TensorData,
  readStorage: ReadStorage,
): Promise<void> {
  const width = DTYPES[tensor.dtype].bytes;
  await readStorage(tensor.storage.key, (tensor.offset + begin) * width, viewBytes(out));
}

/** Reads a tensor of any strides whole, into row-major order. */
export async function readStrided(tensor: TorchTensor, readStorage: ReadStorage): Promise<TensorData> {
  const { dtype, shape, strides, offset, storage } = tensor;
  const { bytes: width, array } = DTYPES[dtype];
  const span = new Uint8Array(spanOf(tensor) * width);
  await readStorage(storage.key, offset * width, span);
  const source = viewData(dtype, span);
  const out = new array(sizeOf(shape));
  gather(source, shape, strides, out);
  return out;
}

/** Writes `out[row-major position] = source[sum of position * stride]`. */
function gather(
  source: TensorData,
  shape: readonly number[],
  strides: readonly number[],
  out: TensorData,
): void {
  const last = shape.length - 1;
  const length = shape[last] ?? 1;
  const step = strides[last] ?? 1;
  const position = new Array<number>(Math.max(last, 0)).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to += length) {
    for (let i = 0; i < length; i++) out[to + i] = source[from + i * step] ?? 0;
    for (let axis = last - 1; axis >= 0; axis--) {
      const next = (position[axis] ?? 0) + 1;
      from += strides[axis] ?? 0;
      position[axis] = next;
      if (next < (shape[axis] ?? 1)) break;
      from -= next * (strides[axis] ?? 0);
      position[axis] = 0;
    }
  }
}
