import { assertByteRange, type ByteSource } from "./byte-source.ts";

/**
 * Makes a source of bytes `[begin, begin + size)` of another source, such as a file within a file. Closing it
 * does nothing, as the other source stays open.
 * @param name - name for messages
 * @throws FormatError if the range is not within the source
 */
export function sliceSource(source: ByteSource, begin: number, size: number, name: string): ByteSource {
  assertByteRange(source, begin, begin + size);
  const slice: ByteSource = {
    name,
    size,
    async read(from, until) {
      assertByteRange(slice, from, until);
      return source.read(begin + from, begin + until);
    },
    async readInto(from, out) {
      assertByteRange(slice, from, from + out.length);
      await source.readInto(begin + from, out);
    },
    async close() {},
  };
  return slice;
}
