import { join } from "node:path";
import { forEachOf, TASK_RESULT_FILE } from "@isthmus/tasks";
import { partsOf } from "../inside.ts";
import { notPublished } from "../not-published.ts";
import type { TaskPlace } from "../task-storage.ts";
import { removeAll } from "./attempt-objects.ts";
import { downloadObject } from "./download-object.ts";
import { listAttempts } from "./list-attempts.ts";
import type { DescribedObject, S3Objects } from "./s3-objects.ts";
import { keysOf } from "./task-keys.ts";
import { winnerOf } from "./write-once.ts";

/** Number of files that are transferred at once, each in several ranges at once. */
const FILES_AT_ONCE = 2;

/**
 * Describes the object of a file of a published task.
 * @throws InputError if there is no such file
 */
export async function findTaskFile(
  objects: S3Objects,
  place: TaskPlace,
  file: string,
): Promise<DescribedObject> {
  const keys = keysOf(place);
  const name = partsOf(file, "the name of a file").join("/");
  if (name === TASK_RESULT_FILE) return describe(objects, keys.result);
  const attempt = await winnerOf(objects, keys.result);
  if (attempt === undefined) throw notPublished(`${objects.name}/${keys.attempt("")}${name}`);
  return describe(objects, `${keys.attempt(attempt)}${name}`);
}

/**
 * Downloads the files of a published task into a folder, the result last, as its presence marks the task as
 * finished.
 * @throws InputError if the task is not published
 */
export async function collectTask(objects: S3Objects, place: TaskPlace, folder: string): Promise<void> {
  const keys = keysOf(place);
  const attempt = await winnerOf(objects, keys.result);
  if (attempt === undefined) throw notPublished(`${objects.name}/${keys.result}`);
  const [published] = await listAttempts(objects, place.store, keys.attempt(attempt));
  // Every attempt has at least the file of its time.
  if (published === undefined) throw notPublished(`${objects.name}/${keys.attempt(attempt)}`);
  await forEachOf(published.files, FILES_AT_ONCE, async ({ key, name }) =>
    downloadObject(objects, await describe(objects, key), join(folder, name)),
  );
  await downloadObject(objects, await describe(objects, keys.result), join(folder, TASK_RESULT_FILE));
}

/** Removes a published task: its result first, as a task without a result does not count as published. */
export async function removeTask(objects: S3Objects, place: TaskPlace): Promise<void> {
  const { result, folder } = keysOf(place);
  await objects.remove(result);
  await removeAll(objects, folder);
}

async function describe(objects: S3Objects, key: string): Promise<DescribedObject> {
  const object = await objects.head(key);
  if (object !== undefined) return object;
  throw notPublished(`${objects.name}/${key}`);
}
