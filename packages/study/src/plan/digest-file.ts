import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { InputError } from "@isthmus/core";

/**
 * Digest of the bytes of a file.
 * @throws InputError if it cannot be read
 */
export async function digestFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (cause) {
    throw new InputError(
      `Cannot plan the study as "${path}" must be a readable file: ${(cause as Error).message}`,
      { input: path, cause },
    );
  }
  return hash.digest("hex");
}
