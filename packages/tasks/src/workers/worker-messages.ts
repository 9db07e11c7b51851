import type { TaskAssignment } from "../task-executor.ts";
import type { ErrorDescription } from "./error-description.ts";

/** A message to a worker thread or process. */
export type ToWorker =
  | { readonly kind: "run"; readonly assignment: TaskAssignment }
  | { /** Tag of a request to stop the running task. */ readonly kind: "abort" };

/** A message from a worker thread or process. */
export type FromWorker =
  | { readonly kind: "progress"; readonly done: number }
  | { readonly kind: "done"; readonly result: object }
  | { readonly kind: "failed"; readonly error: ErrorDescription };
