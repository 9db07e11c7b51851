import { lstat, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { InputError, isInside, reasonOf } from "@isthmus/core";

/** Folder within a store that holds the attempts at its tasks. */
export const ATTEMPTS_FOLDER = ".attempts";

/**
 * Splits a path within a storage, as queues carry it, into its parts.
 * @param what - what the path is, for messages
 * @throws InputError if it is absolute, or any part could lead somewhere else
 */
export function partsOf(path: string, what: string): readonly string[] {
  if (path === "") return [];
  const parts = path.split("/");
  if (!isAbsolute(path) && parts.every(isSafe)) return parts;
  throw new InputError(
    `Cannot use ${what} ${JSON.stringify(path)} as it must lie within the storage: it must be relative, with / between its parts, and none of them ".", ".." or "${ATTEMPTS_FOLDER}"`,
    { input: path },
  );
}

/**
 * Checks that a name can stand for one file or folder, beside what this storage itself puts there.
 * @throws InputError if it cannot
 */
export function assertName(name: string, what: string): void {
  if (/^[^./\\~\0][^/\\~\0]*$/.test(name)) return;
  throw new InputError(
    `Cannot use ${what} ${JSON.stringify(name)} as it must be a single name without "/", "\\" and "~" that does not begin with a point`,
    { input: name },
  );
}

/**
 * Checks that a store is a part of a storage, and not all of it.
 * @throws InputError if it is all of it
 */
export function assertPart(store: string): void {
  if (store !== "") return;
  throw new InputError(
    'Cannot remove a store as it must be a folder within the storage: it is ""; remove its tasks one by one',
    { input: store },
  );
}

/**
 * Returns the path of something below a root, whether it is there or not.
 * @param root - path without links in it
 * @throws InputError if a link on the way leads out of the root, or nowhere
 */
export async function resolveInside(root: string, parts: readonly string[]): Promise<string> {
  const path = join(root, ...parts);
  const end = await endOf(path);
  if (isInside(root, end)) return path;
  throw new InputError(
    `Cannot use "${path}" as it must lie within the storage "${root}": a link leads to "${end}"`,
    { input: path },
  );
}

function isSafe(part: string): boolean {
  return part !== "" && part !== "." && part !== ".." && part !== ATTEMPTS_FOLDER && !/[\\\0]/.test(part);
}

/** Returns where the part of a path that is there really ends. */
async function endOf(path: string): Promise<string> {
  let existing = path;
  for (;;) {
    try {
      return await realpath(existing);
    } catch (error) {
      const stats = await lstat(existing).catch(() => undefined);
      const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT" && !stats?.isSymbolicLink();
      if (!isMissing) {
        throw new InputError(
          `Cannot use "${path}" as ${reasonOf(error, "a link on the way leads nowhere")}`,
          {
            input: path,
            cause: error,
          },
        );
      }
      // What has appeared meanwhile is looked at again.
      if (stats === undefined) existing = dirname(existing);
    }
  }
}
