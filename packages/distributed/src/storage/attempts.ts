import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { createFolder, InputError, isInside, reasonOf } from "@isthmus/core";
import { TASK_RESULT_FILE, TASK_TIME_FILE } from "@isthmus/tasks";
import { isMissing } from "../if-there.ts";
import { type AttemptFile, copyWhole, listFiles } from "./attempt-files.ts";
import { ATTEMPTS_FOLDER, assertName, partsOf, resolveInside } from "./inside.ts";
import type { TaskPlace, TaskStorage } from "./task-storage.ts";

/** Folders of attempts at tasks, in `STORE/.attempts/KEY~ATTEMPT` below a root. */
export interface Attempts extends Pick<TaskStorage, "begin" | "leave" | "sweep"> {
  /** Returns the task and the attempt that a folder belongs to. */
  placeOf(folder: string): TaskPlace & { readonly attempt: string };
}

/** Size and time of a file, which show how far an attempt came. */
type FileProgress = Pick<AttemptFile, "size" | "written">;

/** Names of files that only a published task has. */
const PUBLISHED: ReadonlySet<string> = new Set([TASK_RESULT_FILE, TASK_TIME_FILE]);

/** Manages attempts in a folder of this machine, or in a folder that machines share. */
export function createAttempts(root: string): Attempts {
  const attemptsOf = (store: string): Promise<string> =>
    resolveInside(root, [...partsOf(store, "the store"), ATTEMPTS_FOLDER]);
  return {
    async begin({ store, key }, attempt) {
      assertName(key, "the key of a task");
      assertName(attempt, "the name of an attempt");
      const attempts = await attemptsOf(store);
      const folder = join(attempts, `${key}~${attempt}`);
      await createFolder(attempts);
      await create(folder);
      await goOnFrom(await earlierFolders(attempts, key), folder);
      return folder;
    },
    async leave(folder, { keep }) {
      placeOf(root, folder);
      if (!keep) await rm(folder, { recursive: true, force: true });
    },
    sweep: async (store) => rm(await attemptsOf(store), { recursive: true, force: true }),
    placeOf: (folder) => placeOf(root, folder),
  };
}

function placeOf(root: string, folder: string): TaskPlace & { readonly attempt: string } {
  const store = relative(root, dirname(dirname(folder)));
  const [key, attempt] = basename(folder).split("~");
  const isAttempt = basename(dirname(folder)) === ATTEMPTS_FOLDER && isInside(root, folder);
  if (isAttempt && key !== undefined && attempt !== undefined) {
    return { store: store.split(sep).join("/"), key, attempt };
  }
  throw notAnAttempt(folder);
}

async function create(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === "EEXIST";
    const reason = taken ? "each attempt at a task must have a name of its own" : reasonOf(error);
    throw new InputError(`Cannot create folder "${folder}" as ${reason}`, { input: folder, cause: error });
  }
}

/**
 * Checks that a folder belongs to an attempt at a task.
 * @throws InputError if the folder belongs to another task
 */
export function assertAttemptAt(task: TaskPlace, folder: string, place: TaskPlace): void {
  if (place.store !== task.store || place.key !== task.key) throw notAnAttempt(folder);
}

function notAnAttempt(folder: string): InputError {
  return new InputError(
    `Cannot publish or leave "${folder}" as it must be the folder of an attempt at the task: it is not`,
    { input: folder },
  );
}

/**
 * Lists the folders in which earlier attempts at a task, or an interrupted run without a queue, may have left
 * files.
 */
async function earlierFolders(attempts: string, key: string): Promise<readonly string[]> {
  const names = (await readdir(attempts)).filter((name) => name.startsWith(`${key}~`));
  return [join(dirname(attempts), key), ...names.map((name) => join(attempts, name))];
}

/**
 * Copies the files of the earlier attempt that came furthest. All files are taken from one attempt, as files
 * of several may not fit together; they are copied, not moved, as the worker of that attempt may still run.
 */
async function goOnFrom(folders: readonly string[], folder: string): Promise<void> {
  const earlier: { readonly from: string; readonly files: readonly AttemptFile[] }[] = [];
  for (const from of folders) {
    if (from === folder) continue;
    // The attempt may be published, or removed, meanwhile; a folder that contains links is not used.
    const files = await listFiles(from).catch(() => []);
    earlier.push({ from, files: files.filter((file) => !PUBLISHED.has(file.name)) });
  }
  const [furthest] = earlier.sort((a, b) => compareProgress(b.files, a.files));
  if (furthest === undefined) return;
  // The latest file is copied last: an interrupted copy must not look as advanced as the original.
  for (const { name } of [...furthest.files].sort((a, b) => a.written - b.written)) {
    await copyWhole(join(furthest.from, name), join(folder, name)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}

/** Compares the progress of two attempts: by the time of their last write, then by their total size. */
export function compareProgress(a: readonly FileProgress[], b: readonly FileProgress[]): number {
  const lastOf = (files: readonly FileProgress[]): number =>
    Math.max(0, ...files.map((file) => file.written));
  const sizeOf = (files: readonly FileProgress[]): number => files.reduce((sum, file) => sum + file.size, 0);
  return lastOf(a) - lastOf(b) || sizeOf(a) - sizeOf(b);
}
