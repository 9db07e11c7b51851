import { join, realpath } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { isInside, type Opened, openedPath } from "./confine-files.ts";
import { reasonOf } from "./system-error.ts";

/**
 * Folder of a storage in which workers lay out the files of a task as links to that storage, each in a folder
 * whose name has `digits` hexadecimal digits.
 */
export const LAID_OUT = { folder: "folders", digits: 32 } as const;

/**
 * Patterns of real paths of folders that consist of links by design, and the folder below the first group to
 * which their links lead.
 */
const LINKED: readonly (readonly [RegExp, below: string])[] = [
  // Snapshots in the cache of the Hugging Face hub.
  [/^(.*[\\/](?:models|datasets|spaces)--[^\\/]+)[\\/]snapshots[\\/][^\\/]+(?:[\\/]|$)/, "blobs"],
  [new RegExp(`^(.*)[\\\\/]${LAID_OUT.folder}[\\\\/][0-9a-f]{${LAID_OUT.digits}}(?:[\\\\/]|$)`), ""],
];

/**
 * Checks that a file that was opened by its path in a folder lies in that folder, or in the blobs of the
 * hub's cache if the folder is a snapshot there. An untrusted folder may contain links to any file of this
 * machine.
 *
 * The opened file itself is checked, so that a link that is changed meanwhile cannot deceive.
 * @throws InputError if the file lies elsewhere
 */
export async function assertInModelFolder(path: string, folder: string, opened: Opened): Promise<void> {
  const real = openedPath(path, opened);
  if (isInFolder(real, await realPath(folder))) return;
  throw new InputError(
    `Cannot read "${path}" as a link in a folder must lead to a file in it, or from a snapshot of the Hugging Face hub's cache to its blobs: it leads to "${real}"; put a copy of that file in its place, or name the file itself`,
    { input: path },
  );
}

/**
 * Checks whether a path in a folder leads to a file in that folder, or to the blobs of the hub's cache, as
 * {@link assertInModelFolder} requires, without opening the file.
 */
export async function leadsWithin(path: string, folder: string): Promise<boolean> {
  return isInFolder(await realPath(path), await realPath(folder));
}

function isInFolder(real: string, root: string): boolean {
  const linked = LINKED.flatMap(([pattern, below]) => {
    const [, above] = pattern.exec(root) ?? [];
    return above === undefined ? [] : [join(above, below)];
  });
  return [root, ...linked].some((one) => isInside(one, real));
}

async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new InputError(`Cannot open "${path}" as ${reasonOf(cause)}`, { input: path, cause });
  }
}
