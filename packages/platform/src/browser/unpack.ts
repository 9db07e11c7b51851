import { type FlateStreamHandler, Inflate, Unzlib } from "fflate";
import { concatBytes } from "../byte-arrays.ts";
import { codedError } from "../coded-error.ts";
import { crc32 } from "../crc32.ts";
import type { Unpack, UnpackOptions } from "../port.ts";
import { createUnpackZstd, type UnpackZstd } from "../unpack-zstd.ts";
import { absent } from "./absent.ts";

export { crc32 } from "../crc32.ts";

/** Packed bytes that are unpacked at a time: what comes of them is at most 1032 times as much. */
const STEP_BYTES = 2 ** 14;

/** A decoder of fflate, which is fed part by part. */
interface Decoder {
  ondata: FlateStreamHandler;
  push(part: Uint8Array, isLast: boolean): void;
}

function unpack(
  decoder: Decoder,
  packed: Uint8Array,
  { maxOutputLength, isPart = false }: UnpackOptions,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  decoder.ondata = (bytes) => {
    length += bytes.length;
    if (length > maxOutputLength)
      throw codedError("ERR_BUFFER_TOO_LARGE", `more than ${maxOutputLength} bytes come out`);
    parts.push(bytes);
  };
  for (let begin = 0; begin === 0 || begin < packed.length; begin += STEP_BYTES) {
    const end = begin + STEP_BYTES;
    pushPart(decoder, packed.subarray(begin, end), !isPart && end >= packed.length);
  }
  return concatBytes(parts);
}

function pushPart(decoder: Decoder, part: Uint8Array, isLast: boolean): void {
  try {
    decoder.push(part, isLast);
  } catch (error) {
    const { message } = error as Error;
    if (typeof (error as NodeJS.ErrnoException).code === "string") throw error;
    throw codedError(/unexpected EOF/i.test(message) ? "Z_BUF_ERROR" : "Z_DATA_ERROR", message);
  }
}

/** Inflates bytes that deflate has packed, without a header. */
export const inflateRaw: Unpack = (packed, options) => unpack(new Inflate(), packed, options);

/** Inflates bytes in the format of zlib. */
export const inflate: Unpack = (packed, options) => {
  const bytes = unpack(new Unzlib(), packed, options);
  if (options.isPart !== true && adler32(bytes) !== endOf(packed).getUint32(0)) throw wrongChecksum();
  return bytes;
};

/** Number of bytes after the packed ones of gzip: checksum and length. */
const GZIP_END = 8;

/** Inflates bytes in the format of gzip, which must be one file, not several in a row. */
export const gunzip: Unpack = (packed, options) => {
  const begin = endOfGzipHeader(packed);
  if (options.isPart === true) return inflateRaw(packed.subarray(begin), options);
  const bytes = inflateRaw(packed.subarray(begin, Math.max(begin, packed.length - GZIP_END)), options);
  if (crc32(bytes) !== endOf(packed, GZIP_END).getUint32(0, true)) throw wrongChecksum();
  return bytes;
};

/** Bits of the fields that a header of gzip may have (RFC 1952, section 2.3.1). */
const GZIP_FIELDS = { checksum: 2, extra: 4, name: 8, comment: 16 } as const;

function endOfGzipHeader(packed: Uint8Array): number {
  const [first, second, method, flags = 0] = packed;
  if (first !== 0x1f || second !== 0x8b || method !== 8)
    throw codedError("Z_DATA_ERROR", "incorrect header check");
  let end = 10;
  if ((flags & GZIP_FIELDS.extra) !== 0) {
    const [low = 0, high = 0] = packed.subarray(end);
    end += 2 + low + 256 * high;
  }
  for (const field of [GZIP_FIELDS.name, GZIP_FIELDS.comment]) {
    if ((flags & field) !== 0) end = packed.indexOf(0, end) + 1 || packed.length;
  }
  return end + ((flags & GZIP_FIELDS.checksum) === 0 ? 0 : 2);
}

/** Inflates bytes in the format of gzip; a page has no other thread for it. */
export async function gunzipAside(packed: Uint8Array, options: UnpackOptions): Promise<Uint8Array> {
  return gunzip(packed, options);
}

/** Unpacks bytes that Brotli has packed. */
export const unpackBrotli: Unpack = absent("Brotli");

/** Unpacks bytes that Zstandard has packed. */
export const unpackZstd: UnpackZstd = createUnpackZstd(undefined);

function endOf(packed: Uint8Array, bytes = 4): DataView {
  if (packed.length < bytes) throw codedError("Z_BUF_ERROR", "unexpected end of file");
  return new DataView(packed.buffer, packed.byteOffset + packed.length - bytes, bytes);
}

function wrongChecksum(): Error {
  return codedError("Z_DATA_ERROR", "incorrect data check");
}

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}
