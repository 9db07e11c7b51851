import { isAbsolute, join } from "node:path";
import { InputError, isInside, realPathOf } from "@isthmus/core";

/** Folder within a store that holds the attempts at its tasks. */
export const ATTEMPTS_FOLDER = ".attempts";

/**
 * Splits a path within a storage, in the form that queues carry, into its parts.
 * @param what - description of the path for messages
 * @throws InputError if the path is absolute, or any part could lead out of the storage
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
 * Checks that a name can be used for one file or folder, and differs from the names that the storage itself
 * uses.
 * @throws InputError if the name cannot be used
 */
export function assertName(name: string, what: string): void {
  if (/^[^./\\~\0][^/\\~\0]*$/.test(name)) return;
  throw new InputError(
    `Cannot use ${what} ${JSON.stringify(name)} as it must be a single name without "/", "\\" and "~" that does not begin with a point`,
    { input: name },
  );
}

/**
 * Checks that a store is a part of a storage, rather than the whole storage.
 * @throws InputError if the store is the whole storage
 */
export function assertPart(store: string): void {
  if (store !== "") return;
  throw new InputError(
    'Cannot remove a store as it must be a folder within the storage: it is ""; remove its tasks one by one',
    { input: store },
  );
}

/**
 * Returns the path of a file or folder below a root; it need not exist.
 * @param root - path without links in it
 * @throws InputError if a link on the way leads out of the root, or nowhere
 */
export async function resolveInside(root: string, parts: readonly string[]): Promise<string> {
  const path = join(root, ...parts);
  await assertWithin(root, path);
  return path;
}

/**
 * Checks that a path lies within a storage, also after all links on the way are resolved.
 * @param root - path without links in it
 * @returns the path with all links resolved
 * @throws InputError if the path leads out of the storage
 */
export async function assertWithin(root: string, path: string): Promise<string> {
  const real = await realPathOf(path);
  if (isInside(root, path) && isInside(root, real)) return real;
  throw new InputError(
    `Cannot use "${path}" as it must lie within the storage "${root}": it is "${real}"; put the file itself there, and no link to it`,
    { input: path },
  );
}

function isSafe(part: string): boolean {
  return part !== "" && part !== "." && part !== ".." && part !== ATTEMPTS_FOLDER && !/[\\\0]/.test(part);
}
