import type { TaskFile, UserFile } from "@isthmus/tasks";
import type { QueuedTask } from "../queue/queued-task.ts";

/**
 * A port: storage for the files of tasks, for many machines. A result is published once, as a whole, under
 * the key of its task; a result that was published before is never replaced.
 */
export interface TaskStorage {
  /** Name of the storage for people, without user names and passwords. */
  readonly name: string;
  /**
   * Folder of this machine that holds the files of the storage: the shared folder itself, or a cache of
   * objects. No path of a task may lead out of this folder.
   */
  readonly root: string;
  /**
   * Whether all machines see the files of the command that waits under the same paths, so that tasks may read
   * and write them there. If not, tasks read only shared files, and the files that they write are collected.
   */
  readonly isShared: boolean;
  /**
   * Returns the name within the storage of a folder of results, or a working folder, of the command that
   * waits.
   * @throws InputError if the storage is a shared folder and the given folder is not in it
   */
  placeOf(folder: string): Promise<string>;
  /** Reads the result of a task; undefined if the task is not published. */
  read(place: TaskPlace): Promise<object | undefined>;
  /**
   * Returns the path on this machine of a file that a task reads. The file is fetched first if necessary, and
   * kept until the task is released.
   * @throws InputError if the file does not exist, or has another digest
   */
  openFile(file: TaskFile, task: QueuedTask): Promise<string>;
  /** Releases the files that were opened for a task, once the task has ended. */
  release(task: QueuedTask): Promise<void>;
  /**
   * Makes a folder for one attempt at a task; it contains the files that an interrupted attempt left.
   * @param attempt - name that no other attempt has
   */
  begin(place: TaskPlace, attempt: string): Promise<string>;
  /**
   * Publishes the files of an attempt and the result of the task, all at once, unless the task was published
   * before.
   * @returns whether this attempt was published
   */
  publish(folder: string, result: PublishedResult): Promise<boolean>;
  /** Removes the folder of an attempt; if `keep` is set, its files are left to the next attempt. */
  leave(folder: string, options: { readonly keep: boolean }): Promise<void>;
  /**
   * Makes a file of the command that waits available to all workers, and returns its path for the queue.
   * @throws InputError if the file cannot be made available
   */
  share(file: UserFile): Promise<string>;
  /**
   * Copies the published files of a task into a local folder; does nothing if the files are already in that
   * folder.
   */
  collect(place: TaskPlace, folder: string): Promise<void>;
  /** Removes all published files of a task, once it is collected and no longer needed. */
  remove(place: TaskPlace): Promise<void>;
  /** Removes leftovers of attempts at tasks of a store. */
  sweep(store: string): Promise<void>;
  /**
   * Removes all files of a store, once none of its results is needed any more; shared files are kept.
   * @throws InputError if the store is the whole storage
   */
  clear(store: string): Promise<void>;
  /** Ends the connections of the storage, and the use of its cached files. */
  close(): Promise<void>;
}

/** Location of a published task: a folder of results within the storage, and the task's key. */
export interface TaskPlace {
  /** Folder of results within the storage, with `/` between its parts. */
  readonly store: string;
  /** Key of the task, a digest of everything that determines its result. */
  readonly key: string;
}

/** A result that is to be published. */
export interface PublishedResult extends TaskPlace {
  /** Name of the task's kind. */
  readonly kind: string;
  /** Label of the task for people. */
  readonly label: string;
  /** Parameters of the task, as the command that waits gave them. */
  readonly params: object;
  /** Result of the task as plain data. */
  readonly result: object;
  /** Seconds that the executor took for the task. */
  readonly seconds: number;
  /** Name of the worker that made the result. */
  readonly worker: string;
}
