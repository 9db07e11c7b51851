import { opendir, realpath, rm, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { setTimeout } from "node:timers/promises";
import { confineFiles, createFolder, InputError, isInside, realPathOf, reasonOf } from "@isthmus/core";
import { readTaskResult } from "@isthmus/tasks";
import { copyPublished, listFiles } from "./attempt-files.ts";
import { assertAttemptAt, createAttempts } from "./attempts.ts";
import { createDigests } from "./digests.ts";
import { assertName, assertPart, partsOf, resolveInside } from "./inside.ts";
import { notPublished } from "./not-published.ts";
import { completeFolder, hasResult, renameOnce } from "./publish-folder.ts";
import type { TaskPlace, TaskStorage } from "./task-storage.ts";

/** Options of {@link openFolderStorage}. */
export interface FolderStorageOptions {
  /**
   * Milliseconds to wait for files of a task that another machine has published, as network file systems may
   * show them late; 10000 by default.
   */
  readonly patience?: number | undefined;
}

/** Default number of milliseconds to wait. */
const PATIENCE = 10_000;

/** Milliseconds between two looks for missing files. */
const LOOK_AGAIN = 250;

/**
 * Opens a folder that all machines see, such as one on NFS or Lustre, as a storage; makes a missing folder.
 *
 * Attempts at tasks are in `STORE/.attempts`, and become `STORE/KEY` by one rename.
 * @throws InputError if the folder cannot be made
 */
export async function openFolderStorage(
  folder: string,
  { patience = PATIENCE }: FolderStorageOptions = {},
): Promise<TaskStorage> {
  await createFolder(resolve(folder));
  const root = await realpath(folder);
  const { placeOf, ...attempts } = createAttempts(root);
  const digests = createDigests();
  // Another process may replace a checked path by a link: only paths within the folder are read or written.
  const confined = <T>(act: () => Promise<T>, write: string = root): Promise<T> =>
    confineFiles({ read: [root], write: [write] }, act);
  return {
    name: root,
    root,
    isShared: true,
    ...attempts,
    begin: (place, attempt) => confined(() => attempts.begin(place, attempt)),
    placeOf: (folder) => pathBelow(root, folder),
    async read(place) {
      const target = await folderOf(root, place);
      if (!(await hasResult(target))) await refresh(dirname(target));
      return confined(() => readTaskResult(dirname(target), place.key));
    },
    async openFile(file, { store }) {
      if ("task" in file) return openTaskFile(root, { store, key: file.task }, file.file, patience);
      const path = await resolveInside(root, partsOf(file.path, "the path of a file"));
      await confined(() => digests.check(path, file.digest));
      return path;
    },
    async publish(attempt, result) {
      assertAttemptAt(result, attempt, placeOf(attempt));
      const target = await folderOf(root, result);
      if (!(await hasResult(target))) {
        await confined(() => completeFolder(attempt, result));
        if (await renameOnce(attempt, target)) return true;
      }
      await rm(attempt, { recursive: true, force: true });
      return false;
    },
    share: ({ path }) => pathBelow(root, path),
    async collect(place, target) {
      const source = await folderOf(root, place);
      if ((await realpath(target).catch(() => resolve(target))) === source) return;
      if (!(await hasResult(source))) throw notPublished(source);
      const names = (await listFiles(source)).map(({ name }) => name);
      const copy = () => copyPublished(names, async (name) => join(source, name), target);
      await createFolder(target);
      await confined(copy, await realPathOf(target));
    },
    release: () => Promise.resolve(),
    remove: async (place) => rm(await folderOf(root, place), { recursive: true, force: true }),
    async clear(store) {
      assertPart(store);
      const folder = await resolveInside(root, partsOf(store, "the store"));
      await rm(folder, { recursive: true, force: true });
    },
    close: () => Promise.resolve(),
  };
}

/** Returns the folder in which a task is published. */
async function folderOf(root: string, { store, key }: TaskPlace): Promise<string> {
  assertName(key, "the key of a task");
  return resolveInside(root, [...partsOf(store, "the store"), key]);
}

async function openTaskFile(root: string, place: TaskPlace, name: string, patience: number): Promise<string> {
  const folder = await folderOf(root, place);
  const parts = [...relative(root, folder).split(sep), ...partsOf(name, "the name of a file")];
  for (let waited = 0; ; waited += LOOK_AGAIN) {
    const path = await resolveInside(root, parts);
    if ((await hasResult(folder)) && (await isFile(path))) return path;
    if (waited >= patience) throw notPublished(path);
    await refresh(dirname(folder));
    await setTimeout(LOOK_AGAIN);
  }
}

/** Returns the path of a file below a root, with `/` between its parts. */
async function pathBelow(root: string, path: string): Promise<string> {
  const real = await realpath(path).catch((error: unknown) => {
    throw new InputError(`Cannot share "${path}" with workers as ${reasonOf(error)}`, {
      input: path,
      cause: error,
    });
  });
  if (isInside(root, real)) return relative(root, real).split(sep).join("/");
  throw new InputError(
    `Cannot share "${path}" with workers as it must lie in the folder that all of them see, "${root}": it lies elsewhere; put the file, or the results and the file, inside that folder`,
    { input: path },
  );
}

/**
 * Refreshes the contents of a folder on a network file system: opening the folder makes the client drop its
 * cache.
 */
async function refresh(folder: string): Promise<void> {
  const open = await opendir(folder).catch(() => undefined);
  await open?.close();
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
