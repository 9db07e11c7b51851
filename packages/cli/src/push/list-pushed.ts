import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError, leadsWithin, reasonOf } from "@isthmus/core";
import type { PushedFile } from "@isthmus/distributed";

/** Files of a folder that are sent, and files that are not. */
export interface PushList {
  /** Files to send, in the order of their paths. */
  readonly files: readonly PushedFile[];
  /** Paths of hidden files, and of links that lead out of the folder. */
  readonly leftOut: readonly string[];
}

/** Deepest folder that is looked into, and most files of one commit. */
const [MAX_DEPTH, MAX_FILES] = [5, 10_000];

/**
 * Lists the files of a folder that a push sends. Hidden files stay here, as they are settings and temporary
 * files, and so do links that lead out of the folder.
 * @throws InputError if the folder does not exist, or has no files or too many
 */
export async function listPushed(folder: string): Promise<PushList> {
  const files: PushedFile[] = [];
  const leftOut: string[] = [];
  const look = async (below: readonly string[]): Promise<void> => {
    const entries = await readdir(join(folder, ...below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const parts = [...below, entry.name];
      const [path, file] = [parts.join("/"), join(folder, ...parts)];
      const kind = entry.name.startsWith(".") ? "other" : await kindOf(file, entry, folder);
      if (kind === "folder" && parts.length <= MAX_DEPTH) await look(parts);
      else if (kind === "file") files.push({ path, size: (await stat(file)).size, content: { file } });
      else leftOut.push(path);
      if (files.length > MAX_FILES) throw fail(`one commit may have ${MAX_FILES} files: it has more`);
    }
  };
  const fail = (why: string) => new InputError(`Cannot push "${folder}" as ${why}`, { input: folder });
  if ((await stat(folder).catch(() => undefined))?.isFile() === true)
    throw fail("a folder of a model is needed, with its config and card: it is a file; name its folder");
  try {
    await look([]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw fail(reasonOf(error));
  }
  if (files.length === 0) throw fail("a folder must have files to send: it has none");
  return { files, leftOut };
}

/**
 * Returns what a path is, after links: `other` for what leads out of the folder, and for links to folders.
 */
async function kindOf(path: string, entry: Dirent, folder: string): Promise<"file" | "folder" | "other"> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || !(await leadsWithin(path, folder))) return "other";
  if (stats.isFile()) return "file";
  return stats.isDirectory() && !entry.isSymbolicLink() ? "folder" : "other";
}
