import {
  basename,
  constants,
  createSurroundings,
  dirname,
  isAbsolute,
  join,
  lstat,
  lstatSync,
  open,
  pathOfDescriptor,
  process,
  realpath,
  realpathSync,
  relative,
  resolve,
  type Stats,
  sep,
} from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { reasonOf } from "./system-error.ts";

/** Folders to which work on behalf of an untrusted party is confined. */
export interface FileBounds {
  /** Folders below which files may be read. */
  readonly read: readonly string[];
  /** Folders below which files may be made and written. */
  readonly write: readonly string[];
}

/** The purpose for which a file is opened. */
export type FileUse = keyof FileBounds;

const bounds = createSurroundings<FileBounds | undefined>();

/**
 * Calls a function that may open files only below some folders; this also holds for everything that it calls
 * and awaits. Links count as their targets.
 *
 * The functions of this package that open, make or write files check this, so that no caller can forget it:
 * first the path, so that no file outside is even opened, then the opened file, as another process may
 * replace a folder by a link in between.
 * @param to - allowed folders, by their real paths
 */
export function confineFiles<T>(to: FileBounds, act: () => T): T {
  return bounds.run(to, act);
}

/**
 * Calls a function that may open any file: for the program's own files, which no untrusted party can choose.
 */
export function unconfineFiles<T>(act: () => T): T {
  return bounds.run(undefined, act);
}

/** Checks whether a path is a folder itself or lies below it. Links are not followed: resolve them first. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Checks, before a file is opened, that its real path lies in an allowed folder.
 * @throws InputError if it lies outside; a file that does not exist yet lies where its folder does
 */
export async function assertPathWithin(path: string, use: FileUse): Promise<void> {
  const folders = bounds.getStore()?.[use];
  if (folders !== undefined) assertInside(path, await realPathOf(path), folders);
}

/**
 * Checks that an opened file really lies in an allowed folder, even if its folders were replaced meanwhile.
 * @param opened - descriptor of the file, and its status from the system
 * @throws InputError if the file lies outside, or if it is to be written and has hard links, which may lie
 *   anywhere
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

/** A folder in which files are made. */
export interface AnchoredFolder {
  /** Path that leads to the folder. */
  readonly path: string;
  /** Closes the folder; its path may lead elsewhere afterwards. */
  close(): Promise<void>;
}

/**
 * Opens a folder in which this work makes files, if it is confined: on Linux the returned path always refers
 * to the checked folder, even if it is replaced meanwhile, so that no file is made, renamed or removed
 * elsewhere.
 * @throws InputError if the folder lies outside the folders that may be written
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

/** An open file or folder. */
export interface Opened {
  /** File descriptor, by which the system knows the file. */
  readonly descriptor: number;
  /** Device and inode of the file, as the system reports them. */
  readonly stats: Pick<Stats, "dev" | "ino">;
}

/**
 * Returns the real path of an open file: Linux reports it; elsewhere the original path must still lead to the
 * file.
 */
export function openedPath(path: string, { descriptor, stats }: Opened): string {
  const reported = pathOfDescriptor(descriptor);
  if (reported !== undefined) return reported;
  const real = realpathSync(path);
  const { dev, ino } = lstatSync(real);
  if (dev === stats.dev && ino === stats.ino) return real;
  throw new InputError(
    `Cannot open "${path}" as it must stay where it is: it was moved or replaced meanwhile`,
    { input: path },
  );
}

/**
 * Returns the real path of a file or folder, or the path that it would have if it were created now.
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
      // If the path has appeared meanwhile, it is resolved again.
      if (stats === undefined) return join(await realPathOf(dirname(absolute)), basename(absolute));
    }
  }
}
