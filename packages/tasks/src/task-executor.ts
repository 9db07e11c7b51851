import type { TaskContext, TaskPaths } from "./task-kind.ts";

/** A task as an executor receives it: plain data, with all paths. */
export interface TaskAssignment {
  readonly kind: string;
  readonly params: object;
  readonly inputs: TaskPaths;
  /** Existing folder for the files it makes. */
  readonly folder: string;
}

/** How a run of a task is stopped, and where it reports its progress. */
export type TaskControl = Pick<TaskContext, "signal" | "onProgress">;

/** A port: runs tasks somewhere. */
export interface TaskExecutor {
  /** Tasks that run at once, at least 1. */
  readonly capacity: number;
  /**
   * Runs a task to its end and returns its result.
   * @throws what the task throws; a DOMException named AbortError once it has stopped, if `signal` is aborted
   */
  run(assignment: TaskAssignment, control: TaskControl): Promise<object>;
}
