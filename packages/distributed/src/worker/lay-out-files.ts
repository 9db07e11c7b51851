import { createHash, randomUUID } from "node:crypto";
import { link, readlink, rename, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createFolder, InputError, LAID_OUT, reasonOf } from "@isthmus/core";
import { canonicalJson } from "@isthmus/tasks";
import { partsOf, resolveInside } from "../storage/inside.ts";

/** A file on this machine, and the name by which a task refers to it from its working folder. */
export interface NamedFile {
  /** Relative path with `/` between its parts. */
  readonly name: string;
  /** Absolute path of the file. */
  readonly path: string;
}

/**
 * Makes a working folder with links to files under the names that a task uses. The same files get the same
 * folder, which several tasks may use at once.
 * @returns path of the folder below the root
 * @throws InputError if a name leads out of the folder, or a link cannot be made
 */
export async function layOutFiles(root: string, files: readonly NamedFile[]): Promise<string> {
  const list = files.map(({ name, path }) => [name, path]).sort();
  const digest = createHash("sha256").update(canonicalJson(list)).digest("hex").slice(0, LAID_OUT.digits);
  for (const { name, path } of files) {
    const parts = partsOf(name, "the name of a file");
    const place = await resolveInside(root, [LAID_OUT.folder, digest, ...parts.slice(0, -1)]);
    await createFolder(place);
    await linkTo(path, join(root, LAID_OUT.folder, digest, ...parts));
  }
  return join(root, LAID_OUT.folder, digest);
}

/** Makes a link to a file, unless the link exists. */
async function linkTo(path: string, place: string): Promise<void> {
  if ((await readlink(place).catch(() => undefined)) === path) return;
  const temporary = `${place}.${randomUUID()}.tmp`;
  try {
    // Some systems let only administrators make symbolic links.
    await symlink(path, temporary).catch(() => link(path, temporary));
    await rename(temporary, place);
  } catch (error) {
    throw new InputError(`Cannot lay out "${path}" in "${dirname(place)}" for a task as ${reasonOf(error)}`, {
      input: path,
      cause: error,
    });
  }
}
