import { createHash } from "node:crypto";
import { createOutputFile } from "@isthmus/core";
import { inOrder } from "@isthmus/tasks";
import { otherDigest } from "../digests.ts";
import type { DescribedObject, S3Objects } from "./s3-objects.ts";
import { DIGEST_TEXT, PART_BYTES, PARTS_AT_ONCE } from "./upload-file.ts";

/**
 * Downloads an object by ranges, under a temporary name, and renames the file once its digest is right.
 * @param digest - expected SHA-256 digest; by default the digest that is stored with the object
 * @throws InputError if the server does not send the object, or the object has another digest
 */
export async function downloadObject(
  objects: S3Objects,
  object: DescribedObject,
  path: string,
  digest: string | undefined = object.metadata[DIGEST_TEXT],
): Promise<void> {
  const { key, size } = object;
  const file = await createOutputFile(path);
  try {
    const hash = createHash("sha256");
    const ranges = inOrder(Math.ceil(size / PART_BYTES), PARTS_AT_ONCE, (index) =>
      objects.read(object, index * PART_BYTES, Math.min((index + 1) * PART_BYTES, size)),
    );
    let done = 0;
    for await (const bytes of ranges) {
      hash.update(bytes);
      await file.write(bytes, done);
      done += bytes.length;
    }
    const actual = hash.digest("hex");
    if (digest !== undefined && actual !== digest)
      throw otherDigest(`${objects.name}/${key}`, digest, actual);
    await file.finish(false);
    await file.publish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}
