import { createHash } from "node:crypto";
import { rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isMissing } from "../../if-there.ts";
import { createDigests } from "../digests.ts";
import { downloadObject } from "./download-object.ts";
import type { DescribedObject, S3Objects } from "./s3-objects.ts";
import { OBJECTS_FOLDER, SHARED_FOLDER } from "./task-keys.ts";
import { createCacheLimit } from "./trim-cache.ts";
import { createUsedFiles, type UsedFiles } from "./used-files.ts";

/** Copies of objects on this machine, which are kept while a task uses them. */
export interface ObjectCache extends Pick<UsedFiles, "release" | "close"> {
  /** Returns the path of a copy of an object with the given tag, under a name, for a user. */
  open(object: DescribedObject, name: string, user: object): Promise<string>;
  /** Returns the path of a copy of an object with the given digest, under a name, for a user. */
  openDigest(shared: SharedCopy, user: object): Promise<string>;
}

/** An object that is identified by its digest. */
export interface SharedCopy {
  /** SHA-256 of the bytes of the object, in hexadecimal. */
  readonly digest: string;
  /** Name of the copy, such as `graph.onnx`. */
  readonly name: string;
  /** Describes the object; called only if there is no copy of it yet. */
  find(): Promise<DescribedObject>;
}

/** Options of {@link createObjectCache}. */
export interface ObjectCacheOptions {
  /** Folder of the copies. */
  readonly root: string;
  /** Maximum total bytes of copies; unlimited by default. */
  readonly bytes?: number | undefined;
}

/** Number of digits of the digest that identifies an object and its tag. */
const FOLDER_DIGITS = 32;
/**
 * Number of times that a copy is fetched and removed at once by others before this process keeps a copy of
 * its own.
 */
const TRIES = 5;

/** Fetches a copy to a path unless it exists, and returns the number of added bytes. */
type Fetch = (path: string) => Promise<number>;

/** Keeps copies of objects below a folder, which other processes of this machine may use, too. */
export function createObjectCache(
  objects: S3Objects,
  { root, bytes: most }: ObjectCacheOptions,
): ObjectCache {
  const digests = createDigests();
  const used = createUsedFiles(root);
  const limit = most === undefined ? undefined : createCacheLimit(root, most);
  const once = createOnce();
  /** @param fetch - fetches the copy to a path unless it exists, and returns the number of added bytes */
  const bring = async (path: string, user: object, fetch: Fetch): Promise<string> => {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        const added = await once(path, async () => {
          await touch(dirname(path));
          return fetch(path);
        });
        const link = await used.use(path, user);
        await limit?.note(added);
        return link;
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return used.useAlone(path, user, fetch);
  };
  const download = async (object: DescribedObject, path: string, digest?: string): Promise<number> => {
    await downloadObject(objects, object, path, digest);
    return object.size;
  };
  return {
    release: used.release,
    async close() {
      await used.close();
      await limit?.close();
    },
    open(object, name, user) {
      const identity = createHash("sha256").update(`${objects.name}\n${object.key}\n${object.etag}`);
      const path = join(root, OBJECTS_FOLDER, identity.digest("hex").slice(0, FOLDER_DIGITS), name);
      return bring(path, user, async (target) =>
        (await sizeOf(target)) === object.size ? 0 : download(object, target),
      );
    },
    openDigest({ digest, name, find }, user) {
      const path = join(root, SHARED_FOLDER, digest, name);
      return bring(path, user, async (target) => {
        const isWhole = await digests.check(target, digest).then(
          () => true,
          () => false,
        );
        if (isWhole) return 0;
        await rm(target, { force: true });
        const bytes = await download(await find(), target, digest);
        await digests.note(target, digest);
        return bytes;
      });
    },
  };
}

/** Returns a function that runs an action once for all callers that ask for it at the same time. */
function createOnce(): (path: string, act: () => Promise<number>) => Promise<number> {
  const underWay = new Map<string, Promise<number>>();
  return (path, act) => {
    const existing = underWay.get(path);
    if (existing !== undefined) return existing;
    const promise = act().finally(() => underWay.delete(path));
    underWay.set(path, promise);
    return promise;
  };
}

/**
 * Records the use of a copy in the time of its folder: the copy's own time shows whether the copy has
 * changed.
 */
async function touch(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}
