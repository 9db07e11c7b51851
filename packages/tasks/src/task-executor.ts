import type { Task } from "./task.ts";
import type { TaskContext, TaskPaths } from "./task-kind.ts";

/** A task in the form that an executor receives: plain data, with all paths. */
export interface TaskAssignment {
  /** Name of the task's kind, under which the registry has the code. */
  readonly kind: string;
  /** Parameters of the task as plain data; each kind of task defines its own. */
  readonly params: object;
  /** Paths of the files to read, by their role in the task. */
  readonly inputs: TaskPaths;
  /** Existing folder for the files that the task makes. */
  readonly folder: string;
  /** Folder from which relative paths in the parameters are resolved. @defaultValue the working directory */
  readonly directory?: string | undefined;
  /** Folder of results, see {@link TaskContext}. */
  readonly store?: string | undefined;
  /**
   * Real path of the only folder from which the task may read files, for tasks from untrusted sources; such
   * tasks write only into their own folders. @defaultValue the task may open any file
   */
  readonly within?: string | undefined;
  /** The task itself, for executors that send it elsewhere; missing for work without a key. */
  readonly task?: Task | undefined;
}

/** Signal that stops a run of a task, and callbacks for its progress. */
export interface TaskControl extends Pick<TaskContext, "signal" | "onProgress"> {
  /** Called when a task that waited for a machine begins. */
  readonly onStart?: (() => void) | undefined;
}

/** A port: runs tasks, for example in threads, in processes or on other machines. */
export interface TaskExecutor {
  /** Maximum number of tasks that run at once, at least 1. */
  readonly capacity: number;
  /**
   * Whether tasks may wait for another machine, which publishes their results in the store itself. The
   * executor then calls `onStart` when a task begins. @defaultValue false
   */
  readonly isRemote?: boolean | undefined;
  /**
   * Runs a task to its end and returns its result.
   * @throws the errors of the task; a DOMException named AbortError once the task has stopped, if `signal` is
   *   aborted
   */
  run(assignment: TaskAssignment, control: TaskControl): Promise<object>;
}
