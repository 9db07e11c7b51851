import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Creates a folder, and those above it that are missing.
 *
 * `mkdir` of Node does the same with `recursive`, but never returns where a file system says that there is no such folder in one
 * that is there, as /proc does.
 * @returns whether it was missing
 * @throws the error of the system, if one of them cannot be created
 */
export async function createFolder(path: string): Promise<boolean> {
  if (await isFolder(path)) return false;
  const above = dirname(path);
  if (above !== path) await createFolder(above);
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    // Another process may have been faster.
    if (await isFolder(path)) return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
