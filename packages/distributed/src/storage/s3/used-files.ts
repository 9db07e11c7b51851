import { randomUUID } from "node:crypto";
import { constants, copyFile, link, mkdir, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, relative } from "node:path";
import { ifThere, isMissing, namesIn } from "../../if-there.ts";

/**
 * Copies that tasks of this process read, each under a second name (a hard link) of this process alone.
 * Another process can remove a copy from the cache at any moment without affecting the tasks, and sees by the
 * number of hard links that a copy is in use.
 */
export interface UsedFiles {
  /**
   * Returns a path of a copy, which is kept until its user (any object) releases it.
   * @throws an error with code ENOENT if the copy was removed meanwhile
   */
  use(copy: string, user: object): Promise<string>;
  /**
   * Fetches a copy for this process alone and returns its path; it is kept until its user releases it. This
   * serves files whose copies in the cache other processes remove right after they are fetched.
   * @param fetch - fetches the copy to a path
   */
  useAlone(copy: string, user: object, fetch: (path: string) => Promise<unknown>): Promise<string>;
  /** Ends the use of all copies by a user. */
  release(user: object): Promise<void>;
  /** Removes the second names of all copies, and stops the signs of life. */
  close(): Promise<void>;
}

/** Folder of a cache that holds a folder for each process. */
const USED = "used";
/** Milliseconds between two signs of life, and without a sign after which a process may be dead. */
const SIGN_MS = 5 * 60_000;
const SILENCE_MS = 60 * 60_000;

/** Makes an empty set of used copies. */
export function createUsedFiles(root: string): UsedFiles {
  const folder = join(root, USED, folderName());
  const users = new Map<string, Set<object>>();
  const inTurn = createTurns();
  let signs: NodeJS.Timeout | undefined;
  const giveSign = async (): Promise<void> => {
    const now = new Date();
    await utimes(folder, now, now).catch(() => {});
  };
  const leave = async (path: string, user: object): Promise<void> => {
    const others = users.get(path);
    if (others?.delete(user) !== true || others.size > 0) return;
    users.delete(path);
    // Another task may have begun to use the copy meanwhile.
    await inTurn(path, async () => (users.has(path) ? undefined : rm(path, { force: true })));
  };
  const useBy = async (
    copy: string,
    user: object,
    make: (path: string) => Promise<void>,
  ): Promise<string> => {
    signs ??= setInterval(() => void giveSign(), SIGN_MS).unref();
    const path = join(folder, relative(root, copy));
    users.set(path, (users.get(path) ?? new Set()).add(user));
    try {
      await inTurn(path, () => make(path));
    } catch (error) {
      await leave(path, user);
      throw error;
    }
    return path;
  };
  return {
    use: (copy, user) => useBy(copy, user, (path) => linkTo(copy, path)),
    useAlone: (copy, user, fetch) =>
      useBy(copy, user, async (path) => {
        await fetch(path);
      }),
    async release(user) {
      for (const path of [...users.keys()]) await leave(path, user);
    },
    async close() {
      clearInterval(signs);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Returns a function that runs the actions on a path one after the other. */
function createTurns(): (path: string, act: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return (path, act) => {
    const turn = (last.get(path) ?? Promise.resolve()).catch(() => {}).then(act);
    last.set(path, turn);
    const forget = (): void => {
      if (last.get(path) === turn) last.delete(path);
    };
    turn.then(forget, forget);
    return turn;
  };
}

async function linkTo(copy: string, path: string): Promise<void> {
  const { ino } = await stat(copy, { bigint: true });
  const there = await ifThere(() => stat(path, { bigint: true }), undefined);
  if (there?.ino === ino) return;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await link(copy, temporary).catch((error: unknown) => {
      if (isMissing(error)) throw error;
      // The file system has no hard links.
      return copyFile(copy, temporary, constants.COPYFILE_FICLONE);
    });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Separator between the machine, the process and the unique part of a name. */
const BETWEEN = "~";

function machineName(): string {
  return encodeURIComponent(hostname()).replaceAll(BETWEEN, "_");
}

function folderName(): string {
  return [machineName(), process.pid, randomUUID()].join(BETWEEN);
}

/** Removes the files of processes that were killed an hour ago or more. */
export async function sweepUsed(root: string): Promise<void> {
  const names = await namesIn(join(root, USED));
  for (const name of names) {
    const [machine, pid] = name.split(BETWEEN);
    if (machine === machineName() && isRunning(Number(pid))) continue;
    const folder = join(root, USED, name);
    const sign = await ifThere(async () => (await stat(folder)).mtimeMs, Number.POSITIVE_INFINITY);
    if (Date.now() - sign > SILENCE_MS) await rm(folder, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Sending a signal to a process of another user may be forbidden.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
