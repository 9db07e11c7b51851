import { createHash } from "node:crypto";
import { InputError } from "@isthmus/core";

/** Answer of a server that has stored bytes. */
interface StoredAnswer {
  readonly ETag?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
}

/** Returns the digest by which a server checks the bytes it receives, for the header Content-MD5. */
export function contentMd5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}

/**
 * Checks that a server stored the bytes that were sent, as not all servers check the header: unless the
 * server encrypts, the tag of an object that was sent in one request is its digest.
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
