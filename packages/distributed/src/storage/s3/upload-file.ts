import { type ByteSource, openFileSource } from "@isthmus/core";
import { inOrder } from "@isthmus/tasks";
import { assertStored, contentMd5 } from "./content-md5.ts";
import type { S3Metadata, S3Objects, S3Target } from "./s3-objects.ts";

/** Bytes of a part of a file, and number of parts that are transferred at once. */
export const PART_BYTES: number = 8 * 2 ** 20;
export const PARTS_AT_ONCE = 4;

/** Maximum number of parts that servers accept for one object. */
const MAX_PARTS = 10_000;

/** Name of the metadata of an object that holds the SHA-256 digest of its bytes. */
export const DIGEST_TEXT = "sha256";

/**
 * Uploads a file, in parts if it is large, so that the object appears only once it is complete. The server
 * checks each part by its digest.
 * @param digest - SHA-256 digest of the file, which is stored with the object
 * @throws InputError if the file cannot be read, or the server does not accept it
 */
export async function uploadFile(
  objects: S3Objects,
  key: string,
  path: string,
  digest: string,
): Promise<void> {
  const metadata = { [DIGEST_TEXT]: digest };
  const source = await openFileSource(path);
  try {
    if (source.size <= PART_BYTES) {
      await objects.write(key, await source.read(0, source.size), { metadata });
    } else {
      await objects.send("upload", key, (target) => uploadParts(target, source, metadata));
    }
  } finally {
    await source.close();
  }
}

/** A multipart upload that has begun. */
interface Upload extends S3Target {
  readonly upload: S3Target["at"] & { readonly UploadId: string | undefined };
}

async function uploadParts(target: S3Target, source: ByteSource, metadata: S3Metadata): Promise<void> {
  const { client, sdk, at } = target;
  const create = new sdk.CreateMultipartUploadCommand({ ...at, Metadata: { ...metadata } });
  const { UploadId } = await client.send(create);
  const upload = { ...at, UploadId };
  try {
    const bytes = partBytes(source.size);
    const sent = inOrder(Math.ceil(source.size / bytes), PARTS_AT_ONCE, async (index) =>
      sendPart(
        { ...target, upload },
        index + 1,
        await source.read(index * bytes, Math.min((index + 1) * bytes, source.size)),
      ),
    );
    const Parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
    for await (const ETag of sent) Parts.push({ PartNumber: Parts.length + 1, ETag });
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  } catch (error) {
    // The failure that led here must be reported; leftover parts are not visible, and are swept later.
    await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => {});
    throw error;
  }
}

/** Returns the size of parts in bytes: larger ones only for files that would have too many parts. */
function partBytes(size: number): number {
  return Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS / PART_BYTES) * PART_BYTES);
}

async function sendPart(
  { client, sdk, at, upload }: Upload,
  PartNumber: number,
  bytes: Uint8Array,
): Promise<string | undefined> {
  const md5 = contentMd5(bytes);
  const command = new sdk.UploadPartCommand({ ...upload, PartNumber, Body: bytes, ContentMD5: md5 });
  const answer = await client.send(command);
  assertStored(answer, md5, at.Key);
  return answer.ETag;
}
