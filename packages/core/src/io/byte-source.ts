import { FormatError } from "../errors.ts";

/** Random access to bytes: a file, or an array in memory. */
export interface ByteSource {
  /** Name for messages. */
  readonly name: string;
  /** Number of bytes. */
  readonly size: number;
  /**
   * Reads bytes `[begin, end)`; the caller owns the result.
   * @throws FormatError if the range is not within the source.
   */
  read(begin: number, end: number): Promise<Uint8Array>;
  /**
   * Fills `out` with bytes `[begin, begin + out.length)`.
   * @throws FormatError if the range is not within the source.
   */
  readInto(begin: number, out: Uint8Array): Promise<void>;
  /** Releases the file; reading afterwards fails. */
  close(): Promise<void>;
}

/**
 * Checks that bytes `[begin, end)` lie within `source`.
 * @throws FormatError if they do not lie within it.
 */
export function assertByteRange(source: Pick<ByteSource, "name" | "size">, begin: number, end: number): void {
  if (
    Number.isSafeInteger(begin) &&
    Number.isSafeInteger(end) &&
    0 <= begin &&
    begin <= end &&
    end <= source.size
  )
    return;
  throw new FormatError(
    `Cannot read bytes ${begin} to ${end} of "${source.name}" as the range must be within it: it has ${source.size} bytes`,
    { format: "bytes" },
  );
}

/** Creates a source from an array in memory, whose bytes must not change while the source is in use. */
export function createBytesSource(bytes: Uint8Array, name = "bytes"): ByteSource {
  const source: ByteSource = {
    name,
    size: bytes.length,
    async read(begin, end) {
      assertByteRange(source, begin, end);
      return bytes.slice(begin, end);
    },
    async readInto(begin, out) {
      assertByteRange(source, begin, begin + out.length);
      out.set(bytes.subarray(begin, begin + out.length));
    },
    async close() {},
  };
  return source;
}
