import { randomUUID } from "node:crypto";
import { lstat, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { createFolder, InputError } from "@isthmus/core";
import { ifThere, namesIn } from "../../if-there.ts";
import { isId } from "../queued-task.ts";

/**
 * Folders of a queue that is nothing but a folder. A task is a file, its token, that lies in one of them
 * and is moved by renaming, which a file system does for one process at a time.
 */
export interface QueueFolders {
  /** Tokens of waiting tasks, spread over {@link SHARDS} folders so that none must be listed whole. */
  waiting(id: string): string;
  /** Paths of the folders of waiting tasks, one for each first digit of an id. */
  readonly shards: readonly string[];
  /** Tokens of running tasks; a token that is not written for a lease is taken over. */
  readonly running: string;
  /** Tokens of tasks that wait for their next try, named by the time of that try. */
  readonly delayed: string;
  /** Tokens that are being taken over from a dead worker. */
  readonly expired: string;
  /** Tokens of tasks that have failed for good. */
  readonly failed: string;
  /** Folder of files that lay in place of a task's token but are not valid tokens, for people to look at. */
  readonly damaged: string;
  /** Names of running tasks that are to be stopped. */
  readonly cancelled: string;
  /** Events of tasks, for the commands that wait for them: a folder for each store. */
  readonly events: string;
  /** A file for each worker, which the worker rewrites regularly. */
  readonly workers: string;
  /** Files that are not complete yet. */
  readonly temporary: string;
}

/** First digits of ids: each has its own folder of waiting tasks. */
const SHARDS = "0123456789abcdef";

/**
 * Makes the folders of a queue, if they do not exist.
 * @throws InputError if there is no queue, and none may be made
 */
export async function openQueueFolders(root: string, mayMake: boolean): Promise<QueueFolders> {
  if (!mayMake && (await writtenAt(join(root, "waiting"))) === undefined) {
    throw new InputError(
      `Cannot open the queue "${root}" as it must be a folder that a worker or a command uses as a queue: there is none`,
      { input: root },
    );
  }
  await createFolder(root);
  const shards = [...SHARDS].map((digit) => join(root, "waiting", digit));
  const flat = (name: string): string => join(root, name);
  const folders: QueueFolders = {
    waiting: (id) => join(root, "waiting", id.slice(0, 1), id),
    shards,
    running: flat("running"),
    delayed: flat("delayed"),
    expired: flat("expired"),
    failed: flat("failed"),
    damaged: flat("damaged"),
    cancelled: flat("cancelled"),
    events: flat("events"),
    workers: flat("workers"),
    temporary: flat("temporary"),
  };
  const { waiting: _, shards: __, ...others } = folders;
  for (const folder of [...shards, ...Object.values(others)]) await createFolder(folder);
  return folders;
}

/** Writes a file so that others see all of it or nothing; the file need not survive a power cut. */
export async function writeWhole(folders: QueueFolders, path: string, text: string): Promise<void> {
  const temporary = join(folders.temporary, randomUUID());
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** Renames a file, and returns whether it existed: another process may have been faster. */
export async function moveIfThere(from: string, to: string): Promise<boolean> {
  return ifThere(async () => {
    await rename(from, to);
    return true;
  }, false);
}

/**
 * Moves a file that is no valid token out of the way.
 * @param problem - why the file is no valid token
 * @param tell - called with an error that describes the problem
 */
export async function setAside(
  folders: QueueFolders,
  path: string,
  problem: string,
  tell: (error: InputError) => void,
): Promise<void> {
  const aside = join(folders.damaged, `${basename(path)}~${randomUUID()}`);
  if (!(await moveIfThere(path, aside))) return;
  const message = `Cannot take "${path}" as a task as ${problem}; it lies in "${aside}" now`;
  tell(new InputError(message, { input: path }));
}

/** Removes a file, or a folder of that name, and returns whether it existed. */
export async function removeIfThere(path: string): Promise<boolean> {
  return ifThere(async () => {
    await rm(path, { recursive: true });
    return true;
  }, false);
}

/** Lists the tasks that wait in a shard; other files in its folder are ignored, and never taken. */
export async function waitingIn(folders: QueueFolders, shard: string): Promise<readonly string[]> {
  return (await namesIn(shard)).filter((id) => isId(id) && folders.waiting(id) === join(shard, id));
}

/**
 * Returns the time of the last write to a file or a link, in milliseconds by the clock of the file system.
 */
export function writtenAt(path: string): Promise<number | undefined> {
  return ifThere<number | undefined>(async () => (await lstat(path)).mtimeMs, undefined);
}
