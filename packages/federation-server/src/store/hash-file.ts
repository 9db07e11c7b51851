import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** Computes the SHA-256 of a file, in hexadecimal, in pieces. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
