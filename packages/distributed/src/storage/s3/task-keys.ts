import { TASK_RESULT_FILE } from "@isthmus/tasks";
import { assertName, partsOf } from "../inside.ts";
import type { TaskPlace } from "../task-storage.ts";

/** Names of the objects of a task. */
export interface TaskKeys {
  /** Its result, which goes with the name of the attempt that was published. */
  readonly result: string;
  /** What the names of all its objects, and of nothing else, begin with. */
  readonly folder: string;
  /** What the names of files of an attempt begin with. */
  attempt(name: string): string;
  /** What the names of files that an attempt has left to the next one begin with. */
  left(name: string): string;
  /** What the names of files of all attempts at it, and of nothing else, begin with. */
  readonly attempts: string;
  /** What the names of claims begin with. */
  readonly claims: string;
}

/** Ending of the name of an attempt that has ended and left its files; no other attempt has such a name. */
export const LEFT = "~left";

/** Copies of files of tasks are below this name of a cache. */
export const OBJECTS_FOLDER = "objects";

/** Files that users share with workers are below this name, each by its digest. */
export const SHARED_FOLDER = "files";

/**
 * Returns the names of the objects of a task. Each attempt has names of its own, so that an attempt that
 * comes too late overwrites nothing of the one that was published.
 * @throws InputError if the place of the task could lead out of the storage
 */
export function keysOf({ store, key }: TaskPlace): TaskKeys {
  assertName(key, "the key of a task");
  const folder = `${storePrefix(store)}${key}/`;
  return {
    folder,
    result: `${folder}${TASK_RESULT_FILE}`,
    attempts: `${folder}~`,
    attempt: (name) => `${folder}~${name}/`,
    left: (name) => `${folder}~${name}${LEFT}/`,
    claims: `${folder}.claim~`,
  };
}

/**
 * Returns what the names of all objects of a store begin with.
 * @throws InputError if it could lead out of the storage
 */
export function storePrefix(store: string): string {
  return partsOf(store, "the store")
    .map((part) => `${part}/`)
    .join("");
}
