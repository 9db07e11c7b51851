import { join } from "node:path";
import { digestFile } from "@isthmus/core";
import { forEachOf, TASK_RESULT_FILE, TASK_TIME_FILE } from "@isthmus/tasks";
import { listFiles } from "../attempt-files.ts";
import { compareProgress } from "../attempts.ts";
import type { TaskPlace } from "../task-storage.ts";
import { downloadObject } from "./download-object.ts";
import { listAttempts } from "./list-attempts.ts";
import type { S3Objects } from "./s3-objects.ts";
import { keysOf } from "./task-keys.ts";
import { uploadFile } from "./upload-file.ts";

/**
 * Number of files that are transferred at once, each in several parts at once; and of objects that are
 * removed at once.
 */
const FILES_AT_ONCE = 2;
const REMOVED_AT_ONCE = 8;

/** Uploads the files of an attempt, except the result. */
export async function uploadAttempt(
  objects: S3Objects,
  folder: string,
  prefix: string,
  { atOnce = FILES_AT_ONCE }: { readonly atOnce?: number } = {},
): Promise<void> {
  const files = (await listFiles(folder)).filter(({ name }) => name !== TASK_RESULT_FILE);
  // The latest file is uploaded last: an interrupted upload then looks less advanced than the original.
  const inTime = [...files].sort((a, b) => a.written - b.written);
  await forEachOf(inTime, atOnce, async ({ name }) => {
    const path = join(folder, name);
    await uploadFile(objects, `${prefix}${name}`, path, await digestFile(path));
  });
}

/** Removes all objects whose names begin with a text. */
export async function removeAll(objects: S3Objects, prefix: string): Promise<void> {
  await forEachOf(await objects.list(prefix), REMOVED_AT_ONCE, ({ key }) => objects.remove(key));
}

/**
 * Downloads the files that earlier attempts at a task left, if any, into the folder of a new one: the files
 * of the attempt that came furthest.
 */
export async function bringEarlier(objects: S3Objects, place: TaskPlace, folder: string): Promise<void> {
  const attempts = await listAttempts(objects, place.store, keysOf(place).attempts);
  const [furthest] = [...attempts].sort((a, b) => compareProgress(b.files, a.files));
  if (furthest === undefined) return;
  for (const { key, name } of [...furthest.files].sort((a, b) => a.written - b.written)) {
    const object = await objects.head(key);
    // The object may be removed meanwhile, if another attempt was published.
    if (object !== undefined && name !== TASK_TIME_FILE)
      await downloadObject(objects, object, join(folder, name));
  }
}
