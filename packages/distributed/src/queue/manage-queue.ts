import type { QueueCounts, QueueEntry, QueueState, QueueWorker, TaskQueue } from "./task-queue.ts";

/** Contents of a queue at a moment, as plain data. */
export interface QueueDescription {
  /** Tag of descriptions of queues. */
  readonly kind: "queue";
  /** The queue's name. */
  readonly queue: string;
  /** Number of tasks in each state. */
  readonly counts: QueueCounts;
  /** Workers that serve the queue, by name. */
  readonly workers: readonly QueueWorker[];
  /** Tasks that run, each with the seconds since it began; at most {@link MOST_LISTED}. */
  readonly running: readonly (QueueEntry & { readonly seconds?: number | undefined })[];
  /** Tasks that have failed for good; at most {@link MOST_LISTED}. */
  readonly failed: readonly QueueEntry[];
}

/** Maximum number of listed tasks of a state. */
const MOST_LISTED = 1000;

/** Describes the contents of a queue: its waiting, running and failed tasks, and its workers. */
export async function describeQueue(queue: TaskQueue): Promise<QueueDescription> {
  const [counts, workers, running, failed] = await Promise.all([
    queue.count(),
    queue.workers(),
    queue.list("running", MOST_LISTED),
    queue.list("failed", MOST_LISTED),
  ]);
  const now = Date.now();
  return {
    kind: "queue",
    queue: queue.name,
    counts,
    failed: failed.map(withoutStack),
    workers: [...workers].sort((a, b) => (a.name < b.name ? -1 : 1)),
    running: running.map((entry) => ({
      ...entry,
      ...(entry.began !== undefined && { seconds: Math.max(0, (now - entry.began) / 1000) }),
    })),
  };
}

/** Removes the stack from the error of an entry, as it says nothing about the task. */
function withoutStack({ error, ...entry }: QueueEntry): QueueEntry {
  if (error === undefined) return entry;
  const { stack: _, ...description } = error;
  return { ...entry, error: description };
}

/**
 * Takes tasks out of a queue; running ones are stopped within a lease.
 * @param ids - undefined for all tasks
 * @returns the number of tasks that were taken out
 */
export async function cancelTasks(
  queue: TaskQueue,
  ids?: readonly string[],
  states: readonly QueueState[] = ["waiting", "running", "failed"],
): Promise<number> {
  if (ids !== undefined) return queue.cancel(ids);
  let cancelled = 0;
  for (const state of states) cancelled += await untilEmpty(queue, state, (some) => queue.cancel(some));
  return cancelled;
}

/**
 * Tries failed tasks again.
 * @param ids - undefined for all failed tasks
 * @returns their number
 */
export async function retryTasks(queue: TaskQueue, ids?: readonly string[]): Promise<number> {
  return ids === undefined ? untilEmpty(queue, "failed", (some) => queue.retry(some)) : queue.retry(ids);
}

/**
 * Calls a function with all tasks in a state, some at a time; the function must take them out of that state.
 */
async function untilEmpty(
  queue: TaskQueue,
  state: QueueState,
  act: (ids: readonly string[]) => Promise<number>,
): Promise<number> {
  const seen = new Set<string>();
  let sum = 0;
  for (;;) {
    const entries = await queue.list(state, MOST_LISTED);
    // A running task is listed until its worker has stopped it.
    const ids = entries.map(({ id }) => id).filter((id) => !seen.has(id));
    if (ids.length === 0) return sum;
    for (const id of ids) seen.add(id);
    sum += await act(ids);
  }
}
