import { promisify } from "node:util";
import { constants, gunzip, gunzipSync } from "node:zlib";
import { FormatError, type Tensor } from "@isthmus/core";
import { decodeIdx, decodeIdxHeader } from "./decode-idx.ts";
import { MAX_DATA_BYTES, MAX_INFLATION } from "./limits.ts";
import { readDataFile } from "./read-data-file.ts";

/**
 * Number of compressed bytes that hold at least an IDX header, with room for a file name in the gzip header.
 */
const PEEK_BYTES = 8192;

/**
 * Reads an IDX file, plain or compressed with gzip; which of both is detected from the content.
 *
 * A compressed file is inflated to the length in its IDX header and no further.
 * @throws InputError if there is no such file or it cannot be read
 * @throws FormatError if it is not an IDX file, is damaged, or its length does not match its header
 */
export async function readIdx(path: string): Promise<Tensor> {
  const bytes = await readDataFile(path);
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return decodeIdx(compressed ? await inflateIdx(bytes, path) : bytes, path);
}

async function inflateIdx(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  try {
    const start = gunzipSync(bytes.subarray(0, PEEK_BYTES), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: PEEK_BYTES * MAX_INFLATION,
    });
    const { totalBytes } = decodeIdxHeader(start, path);
    if (totalBytes > Math.min(bytes.length * MAX_INFLATION, MAX_DATA_BYTES)) {
      throw new FormatError(
        `Cannot read "${path}" as what its header claims must fit the file: it claims ${totalBytes} bytes, compressed to ${bytes.length}`,
        { format: "idx" },
      );
    }
    return await promisify(gunzip)(bytes, { maxOutputLength: totalBytes, chunkSize: 2 ** 20 });
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
