import { TASK_RESULT_FILE } from "@isthmus/tasks";
import { assertName, partsOf } from "../inside.ts";
import type { TaskPlace } from "../task-storage.ts";

/** Names of the objects of a task. */
export interface TaskKeys {
  /** Name of the result, whose metadata names the published attempt. */
  readonly result: string;
  /** Prefix of the names of all objects of the task, and of no others. */
  readonly folder: string;
  /** Returns the prefix of the names of the files of an attempt. */
  attempt(name: string): string;
  /** Returns the prefix of the names of the files that an attempt has left for the next one. */
  left(name: string): string;
  /** Prefix of the names of the files of all attempts at the task, and of no others. */
  readonly attempts: string;
  /** Prefix of the names of claims. */
  readonly claims: string;
}

/** Ending of the name of an attempt that has ended and left its files; no other attempt has such a name. */
export const LEFT = "~left";

/** Folder in a cache that holds copies of files of tasks. */
export const OBJECTS_FOLDER = "objects";

/** Prefix of the names of files that users share with workers, each named by its digest. */
export const SHARED_FOLDER = "files";

/**
 * Returns the names of the objects of a task. Each attempt has its own names, so that a late attempt
 * overwrites nothing of the published one.
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
 * Returns the prefix of the names of all objects of a store.
 * @throws InputError if the store could lead out of the storage
 */
export function storePrefix(store: string): string {
  return partsOf(store, "the store")
    .map((part) => `${part}/`)
    .join("");
}
