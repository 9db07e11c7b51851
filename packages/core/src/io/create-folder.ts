import { dirname, mkdir, rmdir, stat } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { assertPathWithin } from "./confine-files.ts";
import { reasonOf } from "./system-error.ts";

/**
 * Creates a folder, and all missing folders above it.
 *
 * Node's `mkdir` can do this with `recursive`, but never returns on file systems such as /proc, which report
 * a missing folder within an existing one.
 * @returns the folders that were missing, the outermost first
 * @throws InputError if a folder cannot be created; already created folders are removed again
 */
export async function createFolder(path: string): Promise<readonly string[]> {
  const created: string[] = [];
  try {
    await createInto(path, created);
    return created;
  } catch (error) {
    await removeFolders(created);
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot create folder "${path}" as ${reasonFor(error)}`, {
      input: path,
      cause: error,
    });
  }
}

function reasonFor(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === "EEXIST") return `"${path}" must be a folder: it is a file`;
  return reasonOf(error, "its file system must take folders: it takes none there");
}

/** Removes folders that {@link createFolder} has created, if they are still empty. */
export async function removeFolders(created: readonly string[]): Promise<void> {
  for (const folder of [...created].reverse()) await rmdir(folder).catch(() => {});
}

async function createInto(path: string, created: string[]): Promise<void> {
  if (await isFolder(path)) return;
  await assertPathWithin(path, "write");
  const above = dirname(path);
  if (above !== path) await createInto(above, created);
  try {
    await mkdir(path);
    created.push(path);
  } catch (error) {
    // Another process may have created the folder.
    if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}
