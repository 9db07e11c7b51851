import type { TaskQueue } from "../../src/queue/task-queue.ts";

/** A queue with nothing in it, which a test has for itself. */
export interface QueuePlace {
  /** Opens the queue with connections of its own, as another process would. */
  readonly open: () => Promise<TaskQueue>;
  /** How a process of its own opens it by `openQueue`: the address, and the name of the queue there. */
  readonly elsewhere: { readonly address: string; readonly name: string };
}
