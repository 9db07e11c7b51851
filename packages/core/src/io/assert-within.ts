import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { InputError } from "../errors.ts";
import { reasonOf } from "./system-error.ts";

/** Number of a file on its disk, by which a name is compared with what was opened. */
interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * Folder of a storage in which workers lay out the files of a task as links to that storage, each in a folder
 * whose name has so many hexadecimal digits.
 */
export const LAID_OUT = { folder: "folders", digits: 32 } as const;

/**
 * Folders that hold links by their nature, by their real paths, and where below the first group these lead.
 */
const LINKED: readonly (readonly [RegExp, below: string])[] = [
  // A snapshot in the cache of the Hugging Face hub.
  [/^(.*[\\/](?:models|datasets|spaces)--[^\\/]+)[\\/]snapshots[\\/][^\\/]+(?:[\\/]|$)/, "blobs"],
  [new RegExp(`^(.*)[\\\\/]${LAID_OUT.folder}[\\\\/][0-9a-f]{${LAID_OUT.digits}}(?:[\\\\/]|$)`), ""],
];

/**
 * Checks that a file that was opened by its path in a folder lies in that folder, or in the blobs of the
 * hub's cache if the folder is a snapshot there. A folder of strangers may have links to any file of this
 * machine.
 *
 * It is given what was opened, so that a link which is changed meanwhile deceives nobody.
 * @throws InputError if it lies elsewhere
 */
export async function assertWithin(path: string, folder: string, opened: FileIdentity): Promise<void> {
  const target = await findTarget(path, folder);
  if (target.isWithin) {
    const inFolder = await stat(target.real, { bigint: true }).catch(() => undefined);
    if (inFolder?.dev === opened.dev && inFolder.ino === opened.ino) return;
  }
  throw new InputError(
    `Cannot read "${path}" as a link in a folder must lead to a file in it, or from a snapshot of the Hugging Face hub's cache to its blobs: it leads to "${target.real}"; put a copy of that file in its place, or name the file itself`,
    { input: path },
  );
}

/**
 * Checks whether a path in a folder leads to a file in that folder, or to the blobs of the hub's cache, as
 * {@link assertWithin} wants it; nothing is opened.
 */
export async function leadsWithin(path: string, folder: string): Promise<boolean> {
  return (await findTarget(path, folder)).isWithin;
}

async function findTarget(path: string, folder: string): Promise<{ real: string; isWithin: boolean }> {
  try {
    const [real, root] = [await realpath(path), await realpath(folder)];
    const linked = LINKED.flatMap(([pattern, below]) => {
      const [, above] = pattern.exec(root) ?? [];
      return above === undefined ? [] : [join(above, below)];
    });
    return { real, isWithin: [root, ...linked].some((one) => isInside(one, real)) };
  } catch (cause) {
    throw new InputError(`Cannot open "${path}" as ${reasonOf(cause)}`, { input: path, cause });
  }
}

/** Checks whether a path is a folder itself or lies below it. Links are not followed: resolve them first. */
export function isInside(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below !== ".." && !below.startsWith(`..${sep}`) && !isAbsolute(below);
}
