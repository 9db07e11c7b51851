import { homedir } from "node:os";
import { join } from "node:path";
import { type FolderStorageOptions, openFolderStorage } from "./folder-storage.ts";
import { openS3Storage, type S3StorageOptions } from "./s3/s3-storage.ts";
import type { TaskStorage } from "./task-storage.ts";

/** Options of {@link openStorage}: `patience` is for folders, `cache` and `cacheBytes` for S3. */
export interface StorageOptions extends FolderStorageOptions, Partial<S3StorageOptions> {}

/**
 * Opens a storage by its location: an address that begins with `s3://`, or the path of a folder that all
 * machines see.
 * @param options - `cache`: folder of this machine for copies of objects; `~/.cache/isthmus` unless set;
 *   `cacheBytes`: most bytes of copies
 * @throws InputError if the storage cannot be used
 */
export function openStorage(location: string, options: StorageOptions = {}): Promise<TaskStorage> {
  const { cache = join(homedir(), ".cache", "isthmus"), cacheBytes, patience } = options;
  if (isS3(location)) return openS3Storage(location, { cache, cacheBytes });
  return openFolderStorage(location, { patience });
}

/** Tells if a location of a storage is one of S3, and not a folder. */
export function isS3(location: string): boolean {
  return /^s3:/i.test(location);
}
