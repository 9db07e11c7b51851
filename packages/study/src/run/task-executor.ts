import type { TaskPaths } from "../tasks/task-kind.ts";

/** A task as an executor is given it: plain data, with all paths. */
export interface TaskAssignment {
  readonly kind: string;
  readonly params: object;
  readonly inputs: TaskPaths;
  /** Folder that is there, for the files it makes. */
  readonly folder: string;
}

/** What a run of a task is told and asked. */
export interface TaskControl {
  readonly signal: AbortSignal;
  /** Told how much is done, in `[0, 1]`. */
  onProgress(done: number): void;
}

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
