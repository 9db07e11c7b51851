import { createHash } from "@isthmus/platform";
import { openFileSource } from "./file-source.ts";

/** Number of bytes that are read and digested at a time. */
const CHUNK_BYTES = 2 ** 20;

/** Options of {@link digestFile}. */
export interface DigestFileOptions {
  /** Signal that stops the computation. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Computes the SHA-256 digest of the bytes of a file, in hexadecimal.
 * @throws InputError if the file cannot be read, is not a regular file, or changes meanwhile
 */
export async function digestFile(path: string, { signal }: DigestFileOptions = {}): Promise<string> {
  const hash = createHash("sha256");
  const source = await openFileSource(path);
  try {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, source.size));
    for (let begin = 0; begin < source.size; begin += chunk.length) {
      signal?.throwIfAborted();
      const part = chunk.subarray(0, source.size - begin);
      await source.readInto(begin, part);
      hash.update(part);
    }
  } finally {
    await source.close();
  }
  return hash.digest("hex");
}
