import { swapBytesInPlace } from "@isthmus/platform";
import { DTYPES } from "../../tensor/dtype.ts";
import { gatherStrided } from "../../tensor/kernels/gather-strided.ts";
import { sizeOf, stridesOf } from "../../tensor/shape.ts";
import { allocateData, createTensor, type Tensor, viewData } from "../../tensor/tensor.ts";
import { NPY_PREFIX_BYTES, type NpyHeader, npyError, npyHeaderEnd, parseNpyHeader } from "./npy-header.ts";

/**
 * Decodes a `.npy` file of NumPy, versions 1 to 3, in C or Fortran order and either byte order.
 *
 * Shares memory with `bytes` if elements need not be reordered or aligned.
 * @throws FormatError if the bytes are not a `.npy` file, or its length does not match its header
 * @throws UnsupportedError if elements are not numbers or booleans: objects are never unpickled
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function decodeNpy(bytes: Uint8Array, source = "bytes"): Tensor {
  const end = npyHeaderEnd(bytes.subarray(0, NPY_PREFIX_BYTES), bytes.length, source);
  const header = parseNpyHeader(bytes.subarray(0, end), source);
  assertNpyLength(header, bytes.length, source);
  const body = bytes.subarray(end);
  return decodeNpyElements(header, header.bigEndian ? body.slice() : body);
}

/**
 * Checks that the size of a `.npy` file matches its header.
 * @param size - bytes of the whole file
 * @throws FormatError if the file is longer or shorter
 */
export function assertNpyLength({ dtype, shape, end }: NpyHeader, size: number, source: string): void {
  const bytes = sizeOf(shape) * DTYPES[dtype].bytes;
  if (size - end === bytes) return;
  throw npyError(
    source,
    `its header, ${dtype} [${shape.join(", ")}], makes ${bytes} bytes of elements: there are ${size - end}`,
  );
}

/**
 * Makes a tensor from the elements that follow a header, in row-major order.
 * @param body - all bytes after the header; bytes in big-endian order are swapped in place, and the tensor
 *   shares the memory unless elements must be reordered or aligned
 */
export function decodeNpyElements(
  { dtype, shape, bigEndian, fortranOrder }: NpyHeader,
  body: Uint8Array,
): Tensor {
  const data = viewData(dtype, bigEndian ? swapBytesInPlace(body, DTYPES[dtype].bytes) : body);
  if (!fortranOrder) return createTensor(dtype, shape, data);
  const out = allocateData(dtype, data.length);
  if (out.length > 0) gatherStrided(data, shape, stridesOf(shape.toReversed()).reverse(), out);
  return createTensor(dtype, shape, out);
}
