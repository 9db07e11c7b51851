import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { digestFile, InputError, reasonOf } from "@isthmus/core";
import { limitAtOnce, type UserFile } from "@isthmus/tasks";
import { otherDigest } from "../digests.ts";
import { assertName, partsOf } from "../inside.ts";
import type { ObjectCache } from "./object-cache.ts";
import type { DescribedObject, S3Objects } from "./s3-objects.ts";
import { SHARED_FOLDER } from "./task-keys.ts";
import { uploadFile } from "./upload-file.ts";

/** Number of files that are uploaded at once, each in several parts at once. */
const SHARED_AT_ONCE = 2;

/**
 * Makes a function that shares files; each file is uploaded only once, even if several tasks ask for it at a
 * time.
 */
export function createSharing(objects: S3Objects): (file: UserFile) => Promise<string> {
  const shared = new Map<string, Promise<string>>();
  const atOnce = limitAtOnce(SHARED_AT_ONCE);
  return ({ path, digest }) => {
    const key = JSON.stringify([digest, basename(path)]);
    const earlier = shared.get(key);
    if (earlier !== undefined) return earlier;
    const sharing = atOnce(() => shareObject(objects, { path, digest }));
    shared.set(key, sharing);
    // A file that could not be uploaded is tried again for the next task.
    sharing.catch(() => shared.delete(key));
    return sharing;
  };
}

/**
 * Uploads a file under its digest, unless the storage already contains the file.
 * @returns digest and name of the file, as tasks may tell the format of a file by the ending of its name
 * @throws InputError if the file does not exist, has another digest, or cannot be uploaded
 */
async function shareObject(objects: S3Objects, { path, digest }: UserFile): Promise<string> {
  const name = basename(path);
  assertName(name, "the name of a file");
  const stats = await stat(path).catch((error: unknown) => {
    throw new InputError(`Cannot share "${path}" with workers as ${reasonOf(error)}`, {
      input: path,
      cause: error,
    });
  });
  const key = `${SHARED_FOLDER}/${digest}`;
  if ((await objects.head(key))?.size !== stats.size) {
    const actual = await digestFile(path);
    if (actual !== digest) throw otherDigest(path, digest, actual);
    await uploadFile(objects, key, path, digest);
  }
  return `${key}/${name}`;
}

/**
 * Returns the path of a copy of a file that was shared.
 * @param options - `file`: a file whose path {@link createSharing} returned; `user`: owner of the copy, which
 *   is kept until its release
 * @throws InputError if the file was not shared, or has another digest
 */
export async function openShared(
  objects: S3Objects,
  cache: ObjectCache,
  { file: { path, digest }, user }: { readonly file: UserFile; readonly user: object },
): Promise<string> {
  const [folder, shared, name, ...more] = partsOf(path, "the path of a file");
  if (folder !== SHARED_FOLDER || name === undefined || more.length > 0 || shared !== digest) {
    throw new InputError(
      `Cannot open "${path}" as it must be a file that was shared, "${SHARED_FOLDER}/${digest}/NAME": it is not; share it again`,
      { input: path },
    );
  }
  const find = async (): Promise<DescribedObject> => {
    const object = await objects.head(`${folder}/${shared}`);
    if (object !== undefined) return object;
    throw new InputError(
      `Cannot open "${path}" as it must be in "${objects.name}": it is not there; share it again`,
      { input: path },
    );
  };
  return cache.openDigest({ digest, name, find }, user);
}
