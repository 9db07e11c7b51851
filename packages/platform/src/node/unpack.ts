import * as zlib from "node:zlib";
import { crc32 as slowCrc32 } from "../crc32.ts";
import type { Unpack, UnpackOptions } from "../port.ts";
import { createUnpackZstd, type UnpackZstd } from "../unpack-zstd.ts";

/** Computes the CRC-32 of the bytes whose checksum is `value`, followed by `bytes`. */
export const crc32: (bytes: Uint8Array, value?: number) => number =
  // Node.js has none before 20.15.
  (zlib as { crc32?: typeof slowCrc32 }).crc32 ?? slowCrc32;

/** Inflates bytes that deflate has packed, without a header. */
export const inflateRaw: Unpack = (packed, options) => zlib.inflateRawSync(packed, optionsOf(options));

/** Inflates bytes in the format of zlib. */
export const inflate: Unpack = (packed, options) => zlib.inflateSync(packed, optionsOf(options));

/** Inflates bytes in the format of gzip. */
export const gunzip: Unpack = (packed, options) => zlib.gunzipSync(packed, optionsOf(options));

/** Inflates bytes in the format of gzip in another thread if there is one. */
export function gunzipAside(packed: Uint8Array, options: UnpackOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const { maxOutputLength } = options;
    zlib.gunzip(packed, { maxOutputLength, chunkSize: 2 ** 20 }, (error, bytes) =>
      error === null ? resolve(bytes) : reject(error),
    );
  });
}

/** Unpacks bytes that Brotli has packed. */
export const unpackBrotli: Unpack = (packed, { maxOutputLength }) =>
  zlib.brotliDecompressSync(packed, { maxOutputLength });

/** Function of Node.js for Zstandard; undefined before 22.15. */
const { zstdDecompressSync } = zlib as {
  zstdDecompressSync?: (packed: Uint8Array, options: object) => Uint8Array;
};

/** Number of the parameter `ZSTD_d_windowLogMax`, and the largest value that it may have. */
const [WINDOW_LOG, MAX_WINDOW_LOG] = [100, 31] as const;

/** Unpacks bytes that Zstandard has packed. */
export const unpackZstd: UnpackZstd = createUnpackZstd(
  zstdDecompressSync &&
    // What was packed in one piece has a window of its whole size, and would be refused from 128 MiB on.
    ((packed, options) =>
      zstdDecompressSync(packed, { ...options, params: { [WINDOW_LOG]: MAX_WINDOW_LOG } })),
);

function optionsOf({ maxOutputLength, isPart = false }: UnpackOptions): zlib.ZlibOptions {
  return { maxOutputLength, ...(isPart && { finishFlush: zlib.constants.Z_SYNC_FLUSH }) };
}
