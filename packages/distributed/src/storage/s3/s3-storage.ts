import { readdir, realpath, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { createFolder, InputError, isInside, readFileBytes } from "@isthmus/core";
import { limitAtOnce, readTaskResult, TASK_RESULT_FILE } from "@isthmus/tasks";
import { listFiles } from "../attempt-files.ts";
import { assertAttemptAt, createAttempts } from "../attempts.ts";
import { assertPart } from "../inside.ts";
import { completeFolder } from "../publish-folder.ts";
import type { PublishedResult, TaskStorage } from "../task-storage.ts";
import { bringEarlier, removeAll, uploadAttempt } from "./attempt-objects.ts";
import { createObjectCache, type ObjectCache } from "./object-cache.ts";
import { collectTask, findTaskFile, removeTask } from "./published-objects.ts";
import { parseS3Location } from "./s3-location.ts";
import { openS3Objects, type S3Objects } from "./s3-objects.ts";
import { createSharing, openShared } from "./shared-objects.ts";
import { sweepObjects } from "./sweep-objects.ts";
import { keysOf, storePrefix } from "./task-keys.ts";
import { createWriteOnce, type OnceObject, winnerOf } from "./write-once.ts";

/** Maximum size of a result in bytes. */
const MAX_RESULT_BYTES = 2 ** 29;

/** Options of a storage in S3. */
export interface S3StorageOptions {
  /** Folder of this machine for copies of files, and for attempts under way. */
  readonly cache: string;
  /**
   * Maximum total bytes of copies; the least recently used ones are removed, unless a task reads them.
   * Unlimited by default.
   */
  readonly cacheBytes?: number | undefined;
}

/**
 * Number of tasks that are collected at once, which bounds memory if many have ended before the command
 * waits.
 */
const COLLECTED_AT_ONCE = 2;

/**
 * Opens objects of S3, or of a server that works like it, as a storage; credentials come from the
 * environment.
 *
 * The result of a task is the object `STORE/KEY/result.json`, with the name of the published attempt, whose
 * files are `STORE/KEY/~ATTEMPT/FILE`: so a late attempt overwrites nothing. Files of users are
 * `files/DIGEST`.
 * @param address - such as `s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=us-east-1`
 * @throws InputError if the address has another form, the client of S3 is not installed, the server cannot
 *   be reached or refuses, or there is no such bucket
 */
export async function openS3Storage(
  address: string,
  { cache, cacheBytes }: S3StorageOptions,
): Promise<TaskStorage> {
  const objects = await openS3Objects(parseS3Location(address));
  try {
    await objects.reach();
    await createFolder(resolve(cache));
    const root = await realpath(cache);
    const copies = createObjectCache(objects, { root, bytes: cacheBytes });
    return createS3Storage(objects, root, copies);
  } catch (error) {
    objects.close();
    throw error;
  }
}

/** @param root - folder of copies and attempts, without links in its path */
function createS3Storage(objects: S3Objects, root: string, copies: ObjectCache): TaskStorage {
  const { placeOf, ...attempts } = createAttempts(root);
  const writeOnce = createWriteOnce(objects);
  const collecting = limitAtOnce(COLLECTED_AT_ONCE);
  return {
    name: objects.name,
    root,
    isShared: false,
    placeOf: async (folder) => nameBelow(process.cwd(), resolve(folder)),
    async read(place) {
      const object = await objects.head(keysOf(place).result);
      if (object === undefined) return undefined;
      const reader = {};
      try {
        const folder = dirname(await copies.open(object, TASK_RESULT_FILE, reader));
        return await readTaskResult(dirname(folder), basename(folder));
      } finally {
        await copies.release(reader);
      }
    },
    async openFile(file, task) {
      if ("path" in file) return openShared(objects, copies, { file, user: task });
      const object = await findTaskFile(objects, { store: task.store, key: file.task }, file.file);
      return copies.open(object, basename(file.file), task);
    },
    release: (task) => copies.release(task),
    async begin(place, attempt) {
      const folder = await attempts.begin(place, attempt);
      if ((await readdir(folder)).length === 0) await bringEarlier(objects, place, folder);
      return folder;
    },
    async publish(folder, result) {
      const { attempt, ...place } = placeOf(folder);
      assertAttemptAt(result, folder, place);
      return publishObjects({ objects, writeOnce }, folder, result, attemptText(attempt));
    },
    async leave(folder, { keep }) {
      const { attempt, ...place } = placeOf(folder);
      if (keep) await uploadAttempt(objects, folder, keysOf(place).left(attemptText(attempt)), { atOnce: 1 });
      await attempts.leave(folder, { keep });
    },
    share: createSharing(objects),
    collect: (place, folder) => collecting(() => collectTask(objects, place, folder)),
    remove: (place) => removeTask(objects, place),
    async sweep(store) {
      await attempts.sweep(store);
      await sweepObjects(objects, store);
    },
    async clear(store) {
      assertPart(store);
      await attempts.sweep(store);
      await removeAll(objects, storePrefix(store));
    },
    async close() {
      await copies.close();
      objects.close();
    },
  };
}

/**
 * Names a local folder within a storage: by its path from the working folder, or by its last part if it is
 * elsewhere.
 */
function nameBelow(directory: string, folder: string): string {
  const way = isInside(directory, folder) ? relative(directory, folder) : basename(folder);
  return way.split(sep).join("/");
}

/** Returns the name of an attempt with only the characters that metadata of objects may have. */
function attemptText(attempt: string): string {
  return encodeURIComponent(attempt);
}

/**
 * Uploads the files of an attempt and then its result, which publishes them, unless another attempt was
 * published.
 * @returns whether this attempt was published
 */
async function publishObjects(
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
