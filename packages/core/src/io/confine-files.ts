import { AsyncLocalStorage } from "node:async_hooks";
import { constants, lstatSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { lstat, open, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { InputError } from "../errors.ts";
import { reasonOf } from "./system-error.ts";

/** Folders to which work is confined that a stranger may have asked for. */
export interface FileBounds {
  /** Folders below which it may read files. */
  readonly read: readonly string[];
  /** Folders below which it may make files and write into them. */
  readonly write: readonly string[];
}

/** The purpose for which a file is opened. */
export type FileUse = keyof FileBounds;

const bounds = new AsyncLocalStorage<FileBounds | undefined>();

/**
 * Calls a function that may open files below some folders alone, and so may all that it calls and waits for.
 * A link counts as what it leads to.
 *
 * The functions of this package that open, make or write files check it, so that no caller can forget to:
 * first the path, so that nothing outside is even opened, then what was opened, as somebody may put a link in
 * place of a folder in between.
 * @param to - folders by their real paths
 */
export function confineFiles<T>(to: FileBounds, act: () => T): T {
  return bounds.run(to, act);
}

/** Calls a function that may open any file, for files of the program itself that no stranger can choose. */
export function unconfineFiles<T>(act: () => T): T {
  return bounds.run(undefined, act);
}

/** Checks whether a path is a folder itself or lies below it. Links are not followed: resolve them first. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Checks, before a file is opened, that it really lies where this work may open files.
 * @throws InputError if it does not; a file that is not there yet lies where its folder does
 */
export async function assertPathWithin(path: string, use: FileUse): Promise<void> {
  const folders = bounds.getStore()?.[use];
  if (folders !== undefined) assertInside(path, await realPathOf(path), folders);
}

/**
 * Checks that a file which has just been opened really lies where this work may open files, whatever was put
 * in the place of its folders meanwhile.
 * @param opened - its descriptor, and what the system says of it
 * @throws InputError if it does not, or is to be written and has other names, which may lie anywhere
 */
export function assertOpenedWithin(
  path: string,
  use: FileUse,
  opened: Opened & { readonly stats: Stats },
): void {
  const folders = bounds.getStore()?.[use];
  if (folders === undefined) return;
  assertInside(path, openedPath(path, opened), folders);
  if (use === "read" || !opened.stats.isFile() || opened.stats.nlink <= 1) return;
  throw new InputError(
    `Cannot write "${path}" for a task as it must have no other name: it has ${opened.stats.nlink} names, of which others may lie anywhere`,
    { input: path },
  );
}

/** A folder that files are made in. */
export interface AnchoredFolder {
  /** A path of it. */
  readonly path: string;
  close(): Promise<void>;
}

/**
 * Opens a folder in which this work makes files, if it is confined: on Linux its path goes on to mean the
 * very folder that was checked, whatever is put in its place meanwhile, so that nothing is made, renamed or
 * removed elsewhere.
 * @throws InputError if it is not where this work may write
 */
export async function anchorFolder(folder: string): Promise<AnchoredFolder> {
  await assertPathWithin(folder, "write");
  if (bounds.getStore() === undefined || process.platform !== "linux")
    return { path: folder, close: () => Promise.resolve() };
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    assertOpenedWithin(folder, "write", { descriptor: handle.fd, stats: await handle.stat() });
    return { path: `/proc/self/fd/${handle.fd}`, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function assertInside(path: string, real: string, folders: readonly string[]): void {
  if (folders.some((folder) => isInside(folder, real))) return;
  throw new InputError(
    `Cannot open "${path}" for a task as it must lie in ${folders.map((folder) => `"${folder}"`).join(" or ")}: it is "${real}"; put the file itself there, and no link to it`,
    { input: path },
  );
}

/** A file or folder that is open. */
export interface Opened {
  readonly descriptor: number;
  /** Its numbers on the disk, as the system says them. */
  readonly stats: Pick<Stats, "dev" | "ino">;
}

/** Returns where an opened file is: Linux says so itself; elsewhere its path must still lead to it. */
export function openedPath(path: string, { descriptor, stats }: Opened): string {
  if (process.platform === "linux") return readlinkSync(`/proc/self/fd/${descriptor}`);
  const real = realpathSync.native(path);
  const { dev, ino } = lstatSync(real);
  if (dev === stats.dev && ino === stats.ino) return real;
  throw new InputError(
    `Cannot open "${path}" as it must stay where it is: it was moved or replaced meanwhile`,
    { input: path },
  );
}

/**
 * Returns the real path of a file or folder, or the one that it would have if it were made now.
 * @throws InputError if a link on the way leads nowhere
 */
export async function realPathOf(path: string): Promise<string> {
  const absolute = resolve(path);
  for (;;) {
    try {
      return await realpath(absolute);
    } catch (error) {
      const stats = await lstat(absolute).catch(() => undefined);
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
      if (stats === undefined) return join(await realPathOf(dirname(absolute)), basename(absolute));
    }
  }
}
