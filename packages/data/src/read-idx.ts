import { createTensor, DTYPES, type DType, FormatError, sizeOf, type Tensor, viewData } from "@isthmus/core";
import { gunzip, gunzipAside, swapBytesInPlace } from "@isthmus/platform";
import { MAX_DATA_BYTES, MAX_INFLATION } from "./limits.ts";
import { readDataFile } from "./read-data-file.ts";

/**
 * Number of compressed bytes that contain at least an IDX header, with space for a file name in the gzip
 * header.
 */
const PEEK_BYTES = 8192;

/**
 * Reads an IDX file, plain or compressed with gzip; the compression is detected from the content.
 *
 * A compressed file is inflated to the length in its IDX header and no further.
 * @throws InputError if the file does not exist or cannot be read
 * @throws FormatError if the file is not an IDX file, is damaged, or its length does not match its header
 */
export async function readIdx(path: string): Promise<Tensor> {
  const bytes = await readDataFile(path);
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return decodeIdx(compressed ? await inflateIdx(bytes, path) : bytes, path);
}

async function inflateIdx(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  try {
    const start = gunzip(bytes.subarray(0, PEEK_BYTES), {
      isPart: true,
      maxOutputLength: PEEK_BYTES * MAX_INFLATION,
    });
    const { totalBytes } = decodeIdxHeader(start, path);
    if (totalBytes > Math.min(bytes.length * MAX_INFLATION, MAX_DATA_BYTES)) {
      throw new FormatError(
        `Cannot read "${path}" as what its header claims must fit the file: it claims ${totalBytes} bytes, compressed to ${bytes.length}`,
        { format: "idx" },
      );
    }
    return await gunzipAside(bytes, { maxOutputLength: totalBytes });
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(`Cannot read "${path}" as ${inflateFailure(cause)}`, { format: "idx", cause });
  }
}

function inflateFailure(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ERR_BUFFER_TOO_LARGE")
    return "it must be as long as its header says: it inflates to more bytes";
  if (code === "Z_BUF_ERROR") return "the compressed file must be whole: it ends before its content does";
  return `its gzip compression must be intact: ${message}`;
}

/** Element types by their code, the third byte of a file. */
const DTYPE_OF_CODE: ReadonlyMap<number, DType> = new Map([
  [0x08, "u8"],
  [0x09, "i8"],
  [0x0b, "i16"],
  [0x0c, "i32"],
  [0x0d, "f32"],
  [0x0e, "f64"],
]);

/** Header of an IDX file. */
interface IdxHeader {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes of the header: 4, and 4 for each axis. */
  readonly headerBytes: number;
  /** Bytes of the whole file. */
  readonly totalBytes: number;
}

/**
 * Decodes the header of an IDX file, from its first bytes.
 * @throws FormatError if the bytes are not the header of an IDX file
 */
function decodeIdxHeader(bytes: Uint8Array, source: string): IdxHeader {
  const [first, second, code = 0, rank = 0] = bytes;
  const dtype = DTYPE_OF_CODE.get(code);
  if (first !== 0 || second !== 0 || dtype === undefined) {
    const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw idxError(
      source,
      `an IDX file must start with 00 00, an element type and a rank: it starts with "${start}"`,
    );
  }
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes) {
    throw idxError(
      source,
      `its header of ${rank} axes must have ${headerBytes} bytes: there are ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { dtype, shape, headerBytes, totalBytes: headerBytes + sizeOf(shape) * DTYPES[dtype].bytes };
}

/**
 * Decodes an IDX file, the format MNIST is published in: big-endian elements after a header of extents.
 *
 * Shares memory with `bytes` if elements are single bytes.
 * @throws FormatError if the bytes are not an IDX file, or their length does not match the header
 * @see http://yann.lecun.com/exdb/mnist/ "The IDX file format"
 */
export function decodeIdx(bytes: Uint8Array, source = "bytes"): Tensor {
  const { dtype, shape, headerBytes, totalBytes } = decodeIdxHeader(bytes, source);
  if (bytes.length !== totalBytes) {
    throw idxError(
      source,
      `its header, ${dtype} [${shape.join(", ")}], makes ${totalBytes} bytes: there are ${bytes.length}`,
    );
  }
  const body = bytes.subarray(headerBytes);
  const { bytes: width } = DTYPES[dtype];
  if (width === 1) return createTensor(dtype, shape, viewData(dtype, body));
  return createTensor(dtype, shape, viewData(dtype, swapBytesInPlace(body.slice(), width)));
}

function idxError(source: string, reason: string): FormatError {
  return new FormatError(`Cannot read "${source}" as ${reason}`, { format: "idx" });
}
