import { UnsupportedError } from "@isthmus/core";
import { gunzip, unpackBrotli, unpackZstd } from "@isthmus/platform";
import { parquetError } from "./parquet-error.ts";

/** Decompresses bytes, and never writes more than `length` bytes. */
type Decompress = (packed: Uint8Array, length: number) => Uint8Array | Promise<Uint8Array>;

/** Compression methods by their numbers in files; the maximum inflation of a byte is that of one long run. */
const CODECS: ReadonlyMap<number, { readonly inflation: number; readonly decompress: Decompress }> = new Map([
  [0, { inflation: 1, decompress: (packed: Uint8Array) => packed }],
  [
    1,
    {
      inflation: 32,
      decompress: async (packed: Uint8Array, length: number) =>
        (await import("hyparquet-compressors")).decompressSnappy(packed, length),
    },
  ],
  [
    2,
    {
      inflation: 1032,
      decompress: (packed: Uint8Array, length: number) => gunzip(packed, { maxOutputLength: length }),
    },
  ],
  [
    4,
    {
      inflation: 2 ** 16,
      decompress: (packed: Uint8Array, length: number) => unpackBrotli(packed, { maxOutputLength: length }),
    },
  ],
  [
    6,
    {
      inflation: 2 ** 15,
      decompress: (packed: Uint8Array, length: number) => unpackZstd(packed, { maxOutputLength: length }),
    },
  ],
  [
    7,
    {
      inflation: 256,
      decompress: async (packed: Uint8Array, length: number) =>
        (await import("hyparquet-compressors")).decompressLz4Raw(packed, length),
    },
  ],
]);

const NAMES = ["none", "snappy", "gzip", "lzo", "brotli", "lz4", "zstd", "lz4 raw"];

/** Maximum size of a page in bytes: pages of photographs have up to a hundred megabytes. */
const MOST_PAGE_BYTES = 2 ** 28;
/**
 * Size in bytes that a page may have at any compression ratio, as columns of one value compress to nearly
 * nothing.
 */
const FREE_BYTES = 2 ** 24;
/** Maximum number of bytes to which a byte of a larger page may expand. */
const USUAL_INFLATION = 1032;

/**
 * Decompresses a page.
 * @param length - size of the decompressed page in bytes, as claimed by its header
 * @throws FormatError if the claimed size exceeds the possible size, or differs from the actual one
 * @throws UnsupportedError if the compression method is not supported
 */
export async function decompressPage(
  packed: Uint8Array,
  { codec, length, source }: { readonly codec: number; readonly length: number; readonly source: string },
): Promise<Uint8Array> {
  const method = CODECS.get(codec);
  if (method === undefined) {
    throw new UnsupportedError(
      `Cannot read "${source}" as its compression must be none, snappy, gzip, brotli, zstd or lz4 raw: it is ${NAMES[codec] ?? codec}`,
      { feature: `parquet compression ${NAMES[codec] ?? codec}` },
    );
  }
  const inflation = length <= FREE_BYTES ? method.inflation : Math.min(method.inflation, USUAL_INFLATION);
  const most = Math.min(MOST_PAGE_BYTES, 64 + inflation * packed.length);
  if (!(0 <= length && length <= most)) {
    throw parquetError(
      source,
      `a page of ${packed.length} bytes may become at most ${most}: it claims ${length}`,
    );
  }
  const page = await unpack(method.decompress, packed, { length, source });
  if (page.length === length) return page;
  throw parquetError(
    source,
    `a page must be as long as its header claims, ${length} bytes: it has ${page.length}`,
  );
}

async function unpack(
  decompress: Decompress,
  packed: Uint8Array,
  { length, source }: { readonly length: number; readonly source: string },
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  try {
    return await decompress(packed, length);
  } catch (cause) {
    throw parquetError(source, `its pages must be intact: ${(cause as Error).message}`, cause);
  }
}
