import { type FolderStorageOptions, openFolderStorage } from "./folder-storage.ts";
import type { TaskStorage } from "./task-storage.ts";

/** How a storage is used, whatever it is. */
export interface StorageOptions extends FolderStorageOptions {
  /** Folder for copies of files, where the storage is none itself. */
  readonly cache?: string | undefined;
}

/**
 * Opens a storage by where it is: a folder that all machines see.
 * @throws InputError if it cannot be used
 */
export function openStorage(location: string, options: StorageOptions = {}): Promise<TaskStorage> {
  return openFolderStorage(location, options);
}
