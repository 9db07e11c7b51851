import { createHash } from "node:crypto";
import { openFileSource } from "./file-source.ts";

/** Bytes read at once. */
const CHUNK_BYTES = 2 ** 20;

/**
 * Computes the SHA-256 digest of the bytes of a file, in hexadecimal.
 * @throws InputError if it cannot be read, is not a regular file, or changes meanwhile
 */
export async function digestFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const source = await openFileSource(path);
  try {
    for (let begin = 0; begin < source.size; begin += CHUNK_BYTES) {
      hash.update(await source.read(begin, Math.min(begin + CHUNK_BYTES, source.size)));
    }
  } finally {
    await source.close();
  }
  return hash.digest("hex");
}
