import { createHash } from "node:crypto";
import { InputError } from "@isthmus/core";

/** What a server answers when it has stored bytes. */
interface StoredAnswer {
  readonly ETag?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
}

/** Returns the digest by which a server checks the bytes it receives, for the header Content-MD5. */
export function contentMd5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}

/**
 * Checks that a server has the bytes that were sent, as not all heed the header: unless a server encrypts,
 * the tag of what was sent at once is its digest.
 * @throws InputError if the server has other bytes
 */
export function assertStored({ ETag, ServerSideEncryption }: StoredAnswer, md5: string, key: string): void {
  const tag = ETag?.replaceAll('"', "");
  if (tag === undefined || ServerSideEncryption !== undefined || !/^[0-9a-f]{32}$/.test(tag)) return;
  if (tag === Buffer.from(md5, "base64").toString("hex")) return;
  throw new InputError(
    `Cannot upload "${key}" as the server must have the bytes that were sent: their digests differ; try again`,
    { input: key },
  );
}
