import type { Task } from "./task.ts";
import type { TaskContext, TaskPaths } from "./task-kind.ts";

/** A task as an executor receives it: plain data, with all paths. */
export interface TaskAssignment {
  readonly kind: string;
  readonly params: object;
  readonly inputs: TaskPaths;
  /** Existing folder for the files it makes. */
  readonly folder: string;
  /** Folder that relative paths in its parameters are looked up from. @defaultValue the working directory */
  readonly directory?: string | undefined;
  /** As of {@link TaskContext}. */
  readonly store?: string | undefined;
  /**
   * Folder out of which no file may be read, by its real path, for tasks that strangers may have asked for;
   * they write into their own folders alone. @defaultValue the task may open any file
   */
  readonly within?: string | undefined;
  /** The task itself, for executors that send it elsewhere; missing for work that has no key. */
  readonly task?: Task | undefined;
}

/** How a run of a task is stopped, and where it reports its progress. */
export interface TaskControl extends Pick<TaskContext, "signal" | "onProgress"> {
  /** Is called when a task that waited for a machine begins. */
  readonly onStart?: (() => void) | undefined;
}

/** A port: runs tasks somewhere. */
export interface TaskExecutor {
  /** Tasks that run at once, at least 1. */
  readonly capacity: number;
  /**
   * Whether tasks may wait for another machine, which publishes their results in the store itself. The
   * executor then calls `onStart` when a task begins. @defaultValue false
   */
  readonly isRemote?: boolean | undefined;
  /**
   * Runs a task to its end and returns its result.
   * @throws what the task throws; a DOMException named AbortError once it has stopped, if `signal` is aborted
   */
  run(assignment: TaskAssignment, control: TaskControl): Promise<object>;
}
