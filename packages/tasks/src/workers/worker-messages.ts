import type { TaskAssignment } from "../task-executor.ts";
import type { ErrorDescription } from "./error-description.ts";

/** A message to a worker thread or process. */
export type ToWorker =
  | {
      /** Tag of a request to run a task. */
      readonly kind: "run";
      /** Task to run, with all paths. */
      readonly assignment: TaskAssignment;
    }
  | { /** Tag of a request to stop the running task. */ readonly kind: "abort" };

/** A message from a worker thread or process. */
export type FromWorker =
  | {
      /** Tag of a report on a running task. */
      readonly kind: "progress";
      /** Share of the task that is done, in `[0, 1]`. */
      readonly done: number;
    }
  | {
      /** Tag of the last message of a task that succeeded. */
      readonly kind: "done";
      /** Result of the task as plain data. */
      readonly result: object;
    }
  | {
      /** Tag of the last message of a task that failed or was stopped. */
      readonly kind: "failed";
      /** Error of the task, from which the other side makes an error of the same class. */
      readonly error: ErrorDescription;
    };
