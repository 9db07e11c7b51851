import type { TaskAssignment } from "../task-executor.ts";

/** A message to a worker thread. */
export type ToWorker =
  | { readonly kind: "run"; readonly assignment: TaskAssignment }
  | { readonly kind: "abort" };

/** The failure of a task, as it crosses from its thread. */
export interface ExplainedFailure {
  readonly message: string;
  /** Whether the fault is in what the user gave, not in the work. */
  readonly isInput: boolean;
}

/** A message from a worker thread. */
export type FromWorker =
  | { readonly kind: "progress"; readonly done: number }
  | { readonly kind: "done"; readonly result: object }
  | ({ readonly kind: "failed" } & ExplainedFailure);
