import { createHash } from "node:crypto";
import { type ByteSource, borrowScratch } from "@isthmus/core";

/** Number of bytes that are digested at once. */
const PIECE_BYTES = 128 * 1024;

/** A source of bytes that computes their SHA-256 while others read them, so that no byte is read twice. */
export interface DigestedSource extends ByteSource {
  /**
   * Returns the SHA-256 of all bytes, in hexadecimal. Bytes that have not been read, or not in their order,
   * are read first.
   */
  digest(): Promise<string>;
}

/** Largest number of bytes between two reads that are read for the digest alone. */
const GAP_BYTES = 2 ** 22;

/**
 * Digests what is read from a source. Bytes are digested in their order, each of them once: a small gap
 * between two reads is read, too, and what is read behind a large one is read again by
 * {@link DigestedSource.digest}.
 * @param arrived - waits until the bytes before an end are there, so that no memory is held meanwhile
 */
export function digestReads(
  source: ByteSource,
  arrived: (end: number) => Promise<void> = async () => {},
): DigestedSource {
  const hash = createHash("sha256");
  let next = 0;
  let digest: string | undefined;
  const take = async (begin: number, out: Uint8Array): Promise<void> => {
    await source.readInto(begin, out);
    if (begin > next || begin + out.length <= next) return;
    hash.update(out.subarray(next - begin));
    next = begin + out.length;
  };
  const digestUpTo = async (end: number): Promise<void> => {
    while (next < end) {
      const length = Math.min(PIECE_BYTES, end - next);
      await arrived(next + length);
      const { bytes, release } = borrowScratch(PIECE_BYTES);
      try {
        await take(next, bytes.subarray(0, length));
      } finally {
        release();
      }
    }
  };
  const readInto = async (begin: number, out: Uint8Array): Promise<void> => {
    if (begin - next <= GAP_BYTES) await digestUpTo(begin);
    await take(begin, out);
  };
  return {
    name: source.name,
    size: source.size,
    readInto,
    async read(begin, end) {
      const out = new Uint8Array(end - begin);
      await readInto(begin, out);
      return out;
    },
    close: () => source.close(),
    async digest() {
      await digestUpTo(source.size);
      digest ??= hash.digest("hex");
      return digest;
    },
  };
}
