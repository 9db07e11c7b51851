import type { TaskQueue } from "../../src/queue/task-queue.ts";

/** A queue with nothing in it, which a test has for itself. */
export interface QueuePlace {
  /** Opens the queue with connections of its own, as another process would. */
  readonly open: () => Promise<TaskQueue>;
  /** How a process of its own opens it: the URL of a module that exports `openPlace`, and what to call it with. */
  readonly elsewhere: { readonly module: string; readonly place: string };
}
