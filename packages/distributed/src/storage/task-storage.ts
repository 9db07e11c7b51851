import type { TaskFile, UserFile } from "@isthmus/tasks";
import type { QueuedTask } from "../queue/queued-task.ts";

/**
 * A port: where files of tasks lie, for many machines. A result is published once, whole, under the key of
 * its task; whatever was published before stays as it is.
 */
export interface TaskStorage {
  /** What people call it, without user names and passwords. */
  readonly name: string;
  /**
   * Folder of this machine that holds the files of the storage: the shared folder itself, or a cache of
   * objects. No path of a task may lead out of this folder.
   */
  readonly root: string;
  /**
   * Whether all machines see the files of whoever waits where they are, so that tasks may find them by their
   * paths and write into them. If not, tasks read only what was shared, and what they write is collected.
   */
  readonly isShared: boolean;
  /**
   * Returns the name in the storage of a folder of results of whoever waits, or of a working folder.
   * @throws InputError if the folder is not in the storage, and has to be
   */
  placeOf(folder: string): Promise<string>;
  /** Reads the result of a task; undefined if none is published. */
  read(place: TaskPlace): Promise<object | undefined>;
  /**
   * Returns the path on this machine of a file that a task reads, which is brought here first if need be, and
   * stays until the task is released.
   * @throws InputError if it is not there, or has another digest
   */
  openFile(file: TaskFile, task: QueuedTask): Promise<string>;
  /** Says that a task has ended, so that nobody reads the files that were opened for it. */
  release(task: QueuedTask): Promise<void>;
  /**
   * Makes a folder for one attempt at a task, for it alone; it holds what an interrupted attempt left.
   * @param attempt - name that no other attempt has
   */
  begin(place: TaskPlace, attempt: string): Promise<string>;
  /**
   * Publishes the files of an attempt and the result of the task, all at once, unless it was published
   * before.
   * @returns whether this attempt was published
   */
  publish(folder: string, result: PublishedResult): Promise<boolean>;
  /** Removes the folder of an attempt, or leaves what it holds to the next attempt if `keep` is set. */
  leave(folder: string, options: { readonly keep: boolean }): Promise<void>;
  /**
   * Makes a file of whoever waits available to all workers, and returns its path for the queue.
   * @throws InputError if it cannot be
   */
  share(file: UserFile): Promise<string>;
  /**
   * Copies the published files of a task into a local folder; does nothing if they are in that folder
   * already.
   */
  collect(place: TaskPlace, folder: string): Promise<void>;
  /** Removes all that was published of a task, for whoever has collected it and needs it no more. */
  remove(place: TaskPlace): Promise<void>;
  /** Removes what attempts at tasks of a store have left. */
  sweep(store: string): Promise<void>;
  /**
   * Removes everything of a store, for whoever needs none of its results any more; files that were shared
   * stay.
   * @throws InputError if it would be the whole storage
   */
  clear(store: string): Promise<void>;
  close(): Promise<void>;
}

/** Where a task is published: a folder of results within the storage, and the task's key. */
export interface TaskPlace {
  readonly store: string;
  readonly key: string;
}

/** A result as it is published. */
export interface PublishedResult extends TaskPlace {
  readonly kind: string;
  readonly label: string;
  readonly params: object;
  readonly result: object;
  readonly seconds: number;
  /** Name of the worker that made it. */
  readonly worker: string;
}
