import { createHash } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createDigests } from "../digests.ts";
import { downloadObject } from "./download-object.ts";
import type { DescribedObject, S3Objects } from "./s3-objects.ts";
import { SHARED_FOLDER } from "./task-keys.ts";

/** Copies of objects on this machine. */
export interface ObjectCache {
  /** Returns the path of an object as its tag says that it is, under a name. */
  open(object: DescribedObject, name: string): Promise<string>;
  /**
   * Returns the path of an object that has a digest, under a name.
   * @param find - describes the object, if there is no copy of it yet
   */
  openDigest(digest: string, name: string, find: () => Promise<DescribedObject>): Promise<string>;
}

/** Digits of the digest that stands for an object and its tag. */
const FOLDER_DIGITS = 32;

/** Keeps copies of objects below a folder, which other processes of this machine may use, too. */
export function createObjectCache(objects: S3Objects, root: string): ObjectCache {
  const digests = createDigests();
  const underWay = new Map<string, Promise<void>>();
  /** Has something done once for all who ask for it at the same time. */
  const once = (path: string, bring: () => Promise<void>): Promise<void> => {
    const existing = underWay.get(path);
    if (existing !== undefined) return existing;
    const promise = bring().finally(() => underWay.delete(path));
    underWay.set(path, promise);
    return promise;
  };
  return {
    async open(object, name) {
      const identity = createHash("sha256").update(`${objects.name}\n${object.key}\n${object.etag}`);
      const path = join(root, "objects", identity.digest("hex").slice(0, FOLDER_DIGITS), name);
      await once(path, async () => {
        if ((await sizeOf(path)) !== object.size) await downloadObject(objects, object, path);
      });
      return path;
    },
    async openDigest(digest, name, find) {
      const path = join(root, SHARED_FOLDER, digest, name);
      await once(path, async () => {
        const isWhole = await digests.check(path, digest).then(
          () => true,
          () => false,
        );
        if (isWhole) return;
        await rm(path, { force: true });
        await downloadObject(objects, await find(), path, digest);
        await digests.note(path, digest);
      });
      return path;
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}
