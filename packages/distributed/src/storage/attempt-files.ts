import { lstat, lutimes, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createOutputFile, InputError, openFileSource } from "@isthmus/core";
import { TASK_RESULT_FILE } from "@isthmus/tasks";

/** A file that an attempt at a task has made. */
export interface AttemptFile {
  /** Path of the file within the folder of the attempt, with `/` between its parts. */
  readonly name: string;
  /** Number of bytes of the file. */
  readonly size: number;
  /** Time of the last write to the file, in milliseconds since 1970. */
  readonly written: number;
}

/** Number of bytes that are copied at a time. */
const COPIED = 2 ** 22;

/** Ending of names of incomplete files. */
const TEMPORARY = ".tmp";

/**
 * Lists the finished files in a folder and all folders below it, by name.
 * @throws InputError if there is a link or a device among them: all files of a task must be in its own folder
 */
export async function listFiles(folder: string): Promise<readonly AttemptFile[]> {
  const files: AttemptFile[] = [];
  await addFiles(folder, "", files);
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Copies a file with its time of writing; the copy appears complete or not at all.
 * @throws InputError if the file cannot be copied
 */
export async function copyWhole(from: string, to: string): Promise<void> {
  // The opened file itself is checked and copied, even if another process replaces it meanwhile.
  const source = await openFileSource(from);
  try {
    const { atime, mtime } = await lstat(from);
    const file = await createOutputFile(to);
    try {
      for (let begin = 0; begin < source.size; begin += COPIED) {
        await file.write(await source.read(begin, Math.min(begin + COPIED, source.size)), begin);
      }
      await file.finish(false);
      await file.publish();
    } catch (error) {
      await file.discard();
      throw error;
    }
    await lutimes(to, atime, mtime);
  } finally {
    await source.close();
  }
}

/**
 * Copies the files of a published task into a folder: the result last, as its presence marks the task as
 * finished.
 * @param open - returns the path of a file by its name
 */
export async function copyPublished(
  names: readonly string[],
  open: (name: string) => Promise<string>,
  folder: string,
): Promise<void> {
  const others = names.filter((name) => name !== TASK_RESULT_FILE);
  for (const name of [...others, TASK_RESULT_FILE]) await copyWhole(await open(name), join(folder, name));
}

async function addFiles(folder: string, above: string, files: AttemptFile[]): Promise<void> {
  for (const item of await readdir(join(folder, above), { withFileTypes: true })) {
    const name = above === "" ? item.name : `${above}/${item.name}`;
    if (item.isDirectory()) await addFiles(folder, name, files);
    else if (!item.isFile()) throw notAFile(join(folder, name));
    else if (!name.endsWith(TEMPORARY)) {
      const { size, mtimeMs } = await lstat(join(folder, name));
      files.push({ name, size, written: mtimeMs });
    }
  }
}

function notAFile(path: string): InputError {
  return new InputError(
    `Cannot take "${path}" as a file of a task as it must be a regular file: it is a link, a device or a pipe`,
    { input: path },
  );
}
