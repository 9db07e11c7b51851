import { dirname, open, rename, unlink } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import type { OutputFile } from "../io/output-file.ts";
import { reasonOf } from "../io/system-error.ts";
import { temporaryName } from "../io/temporary-name.ts";
import { isIndex, isShard, removalOrder } from "./removal-order.ts";

/** A file of an earlier checkpoint that has a temporary name until the new checkpoint is complete. */
interface FileAside {
  readonly path: string;
  readonly temporary: string;
}

/**
 * Renames the finished files of a checkpoint to their final names, in an order such that at every moment,
 * also after this process was killed, opening the place yields the whole earlier checkpoint, the whole new
 * one, or an error.
 *
 * One file replaces another in one step. Shards whose names are free appear beside the earlier checkpoint,
 * until the new index replaces its index. If names of shards are taken, the earlier checkpoint must be moved
 * away first: first its index, then the first shard of each set, so that the rest cannot be opened. If this
 * process fails, rather than being killed, the earlier checkpoint is restored.
 * @param files - finished files, the index last if there is one
 * @param earlier - paths of the earlier checkpoint; files that no new file replaces are removed
 * @param durable - whether to wait until each step is on the disk before the next one
 * @throws InputError if a file cannot be renamed or removed
 */
export async function publishFiles(
  files: readonly Pick<OutputFile, "path" | "publish">[],
  earlier: readonly string[],
  durable: boolean,
): Promise<void> {
  const paths = new Set(files.map(({ path }) => path));
  const sync = async () => {
    const [first] = paths;
    if (durable && first !== undefined) await syncFolder(dirname(first));
  };
  const aside: FileAside[] = [];
  const published: string[] = [];
  try {
    for (const path of pathsInTheWay(paths, earlier)) aside.push(await setAside(path));
    await sync();
    for (const file of files) {
      if (isIndex(file.path)) await sync();
      await file.publish();
      published.push(file.path);
    }
    await sync();
  } catch (error) {
    await undo(published, aside);
    throw error;
  }
  for (const { temporary } of aside) await unlink(temporary).catch(() => {});
  const gone = new Set(aside.map(({ path }) => path));
  const stale = earlier.filter((path) => !paths.has(path) && !gone.has(path));
  for (const path of removalOrder(stale)) await removeStale(path);
}

/** Lists the files that must be moved away before the first new file is published, in order. */
function pathsInTheWay(paths: ReadonlySet<string>, earlier: readonly string[]): readonly string[] {
  if (!earlier.some((path) => isShard(path) && paths.has(path))) return [];
  // Without an index, opening the place opens its single file, so that this file is kept until the new index
  // exists.
  const hasIndex = earlier.some(isIndex);
  return removalOrder(earlier.filter((path) => hasIndex || isShard(path)));
}

async function setAside(path: string): Promise<FileAside> {
  const temporary = temporaryName(path, ASIDE);
  try {
    await rename(path, temporary);
    return { path, temporary };
  } catch (error) {
    throw new InputError(`Cannot replace "${path}" as ${reasonOf(error)}`, { input: path, cause: error });
  }
}

/**
 * Attempt number in the temporary names of earlier files; writers of new files count from 0 and never reach
 * it.
 */
const ASIDE = 1_000_000;

/**
 * Removes a file of the earlier checkpoint.
 * @throws InputError if it cannot be removed, since it would hide the new checkpoint or block the next one.
 */
async function removeStale(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new InputError(
      `Cannot remove "${path}" of the earlier checkpoint as ${reasonOf(error)}; the new one is complete, remove the file yourself`,
      { input: path, cause: error },
    );
  }
}

/**
 * Restores the earlier checkpoint; steps that cannot be undone are skipped, as the failure that led here must
 * be reported.
 */
async function undo(published: readonly string[], aside: readonly FileAside[]): Promise<void> {
  // The list never includes the last file: no step can fail after it was published.
  for (const path of published) await unlink(path).catch(() => {});
  for (const { path, temporary } of [...aside].reverse()) await rename(temporary, path).catch(() => {});
}

/**
 * Waits until the names in a folder are on the disk; does nothing on systems where folders cannot be opened,
 * such as Windows.
 */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}
