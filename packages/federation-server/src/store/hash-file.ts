import { createHash } from "node:crypto";
import { fileSize, readPieces } from "./read-pieces.ts";

/** Computes the SHA-256 of a file, in hexadecimal, piece by piece. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of readPieces(path, 0, await fileSize(path))) hash.update(piece);
  return hash.digest("hex");
}
