import { createHash } from "node:crypto";

/** Returns the digest by which a server checks the bytes it receives, as the header Content-MD5 has it. */
export function contentMd5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}
