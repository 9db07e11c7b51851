import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError, reasonOf, saveFile, syncFolder } from "@isthmus/core";
import { TASK_RESULT_FILE, writeTaskResult } from "@isthmus/tasks";
import { listFiles } from "./attempt-files.ts";
import type { PublishedResult } from "./task-storage.ts";

/** Number of attempts to rename a folder, each after another folder was in its way. */
const ATTEMPTS = 20;

/** File that keeps a folder from being empty, as a folder may be renamed to the name of an empty one. */
const MARK = "moved";

/**
 * Writes a result into the folder of an attempt, and flushes all its files to the disk.
 * @throws InputError if the result cannot be written, or there is a link among the files
 */
export async function completeFolder(folder: string, result: PublishedResult): Promise<void> {
  const folders = new Set([folder]);
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new InputError(`Cannot publish "${folder}" as ${reasonOf(error)}`, { input: folder, cause: error });
  });
  for (const name of names) {
    if (name.endsWith(".tmp")) await rm(join(folder, name), { force: true });
  }
  for (const { name } of await listFiles(folder)) {
    const path = join(folder, name);
    folders.add(dirname(path));
    await syncFile(path);
  }
  const { seconds, worker } = result;
  await writeTaskResult(folder, result, result.result, { seconds, worker });
  for (const path of folders) await syncFolder(path);
}

/**
 * Publishes an attempt by renaming its folder to the folder of the task, in one step. Nothing is renamed if
 * the task has a result already; a folder without a result, left by an interrupted run, is moved out of the
 * way first.
 * @returns whether the folder was renamed
 */
export async function renameOnce(folder: string, target: string): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await hasResult(target)) return false;
    if (await tryRename(folder, target)) return true;
    const inTheWay = await identityOf(target);
    if (await hasResult(target)) return false;
    if (inTheWay === undefined) continue;
    await moveAside(target, join(dirname(folder), `.moved-${basename(target)}-${inTheWay}`));
  }
  throw renameError(folder, target, undefined);
}

/** Checks whether a folder holds the result of a task. */
export async function hasResult(folder: string): Promise<boolean> {
  return (await identityOf(join(folder, TASK_RESULT_FILE))) !== undefined;
}

/** Renames a folder; returns false if a folder that is not empty has the new name. */
async function tryRename(folder: string, target: string): Promise<boolean> {
  const identity = await identityOf(folder);
  try {
    await rename(folder, target);
  } catch (error) {
    if (isInTheWay(error)) return false;
    // A file server may have renamed the folder although its answer was lost.
    const isDone = identity !== undefined && (await identityOf(target)) === identity;
    if (!isDone) throw renameError(folder, target, error);
  }
  await syncFolder(dirname(target));
  return true;
}

function isInTheWay(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOTEMPTY" || code === "EEXIST";
}

/**
 * Moves a folder without a result out of the way. The new name contains the file system's number of the seen
 * folder, and stays taken: a slower process, which would move a folder that was published meanwhile, then
 * fails.
 */
async function moveAside(target: string, aside: string): Promise<void> {
  try {
    await rename(target, aside);
  } catch (error) {
    // Another process has moved the folder; the next attempt looks at it again.
    if (isInTheWay(error) || (error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw renameError(target, aside, error);
  }
  await saveFile(join(aside, MARK), "");
  for (const name of await readdir(aside)) {
    if (name !== MARK) await rm(join(aside, name), { recursive: true, force: true });
  }
}

async function syncFile(path: string): Promise<void> {
  // Some systems can flush only files that were opened for writing.
  const handle = await open(path, "r+").catch(() => open(path, "r"));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Returns the number by which a file system identifies a file; undefined if the file does not exist. */
async function identityOf(path: string): Promise<bigint | undefined> {
  return (await stat(path, { bigint: true }).catch(() => undefined))?.ino;
}

function renameError(folder: string, target: string, error: unknown): InputError {
  const reason =
    error === undefined ? `nothing else may be in its way: there was, ${ATTEMPTS} times` : reasonOf(error);
  return new InputError(`Cannot rename "${folder}" to "${target}" as ${reason}`, {
    input: folder,
    cause: error,
  });
}
