import { rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError, readFileBytes } from "@isthmus/core";
import { TASK_RESULT_FILE } from "@isthmus/tasks";
import { listFiles } from "../attempt-files.ts";
import { completeFolder } from "../publish-folder.ts";
import type { PublishedResult } from "../task-storage.ts";
import { removeAll, uploadAttempt } from "./attempt-objects.ts";
import type { S3Objects } from "./s3-objects.ts";
import { keysOf } from "./task-keys.ts";
import { type OnceObject, winnerOf } from "./write-once.ts";

/** Maximum size of a result in bytes. */
const MAX_RESULT_BYTES = 2 ** 29;

/**
 * Uploads the files of an attempt and then its result, which publishes them, unless another attempt was
 * published.
 * @returns whether this attempt was published
 */
export async function publishObjects(
  {
    objects,
    writeOnce,
  }: { readonly objects: S3Objects; readonly writeOnce: (object: OnceObject) => Promise<boolean> },
  folder: string,
  result: PublishedResult,
  attempt: string,
): Promise<boolean> {
  const keys = keysOf(result);
  const prefix = keys.attempt(attempt);
  const winner = await winnerOf(objects, keys.result);
  let isPublished = winner === attempt;
  if (winner === undefined) {
    await completeFolder(folder, result);
    await uploadAttempt(objects, folder, prefix);
    await assertAllThere(objects, folder, prefix);
    const body = await readFileBytes(join(folder, TASK_RESULT_FILE), MAX_RESULT_BYTES);
    isPublished = await writeOnce({ key: keys.result, body, attempt, claims: keys.claims });
  }
  if (!isPublished) await removeAll(objects, prefix);
  await rm(folder, { recursive: true, force: true });
  return isPublished;
}

/** Checks that all files of an attempt exist: a sweep may have removed files whose upload took long. */
async function assertAllThere(objects: S3Objects, folder: string, prefix: string): Promise<void> {
  const there = new Map((await objects.list(prefix)).map(({ key, size }) => [key, size]));
  for (const { name, size } of await listFiles(folder)) {
    if (name === TASK_RESULT_FILE || there.get(`${prefix}${name}`) === size) continue;
    throw new InputError(
      `Cannot publish "${objects.name}/${prefix}${name}" as it must be there whole: it was removed meanwhile; run the task again`,
      { input: name },
    );
  }
}
