import { at } from "@isthmus/core";
import type { JobType } from "bullmq";
import type { QueueCounts, QueueEntry, QueueState, QueueWorker } from "../task-queue.ts";
import { decodeWorker, entryOf, type JobQueue, type TaskJob } from "./job-data.ts";
import type { Trouble } from "./trouble.ts";

/** A queue to look into. */
export interface QueueParts {
  /** Queue of BullMQ. */
  readonly queue: JobQueue;
  /** Reports of lost connections, and repetition of requests until the database answers. */
  readonly trouble: Trouble;
}

/** States of BullMQ for each of our states. */
const STATES = {
  waiting: ["wait", "delayed", "prioritized"],
  running: ["active"],
  failed: ["failed"],
} as const satisfies Readonly<Record<QueueState, readonly JobType[]>>;

/** Number of jobs that are read, or changed, at once. */
const BATCH = 200;

/** Calls a function with each batch of a list, and concatenates the results. */
export async function inBatches<T, R>(
  items: readonly T[],
  act: (batch: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += BATCH) {
    results.push(...(await act(items.slice(start, start + BATCH))));
  }
  return results;
}

/** Counts the tasks in each state. */
export async function countJobs({ queue, trouble }: QueueParts): Promise<QueueCounts> {
  const types = Object.values(STATES).flat();
  const counts = await trouble.insist("count tasks of", () => queue.getJobCounts(...types));
  const sum = (state: QueueState): number => {
    const some: readonly string[] = STATES[state];
    return Object.entries(counts).reduce(
      (total, [type, number]) => total + (some.includes(type) ? number : 0),
      0,
    );
  };
  return { waiting: sum("waiting"), running: sum("running"), failed: sum("failed") };
}

/** Lists tasks in a state, the oldest first. */
export async function listJobs(
  { queue, trouble }: QueueParts,
  state: QueueState,
  limit: number,
): Promise<readonly QueueEntry[]> {
  if (limit < 1) return [];
  const jobs = await trouble.insist("list tasks of", () =>
    queue.getJobs([...STATES[state]], 0, limit - 1, true),
  );
  // A job that is done while the list is read is undefined in it.
  return jobs
    .filter((job) => job?.data?.entry !== undefined)
    .slice(0, limit)
    .map((job) => entryOf(job, state));
}

/** Finds tasks by their ids. */
export async function findJobs(
  parts: QueueParts,
  ids: readonly string[],
): Promise<readonly (QueueEntry | undefined)[]> {
  if (ids.length === 0) return [];
  const { running, failed } = await readStates(parts);
  const jobs = await readJobs(parts, ids);
  return jobs.map((job, index) => {
    if (job?.data.entry === undefined) return undefined;
    const id = at(ids, index, "id");
    return entryOf(job, running.has(id) ? "running" : failed.has(id) ? "failed" : "waiting");
  });
}

/** Reads jobs by their ids, in the same order; a job that is not in the queue is undefined. */
export function readJobs(
  { queue, trouble }: QueueParts,
  ids: readonly string[],
): Promise<readonly (TaskJob | undefined)[]> {
  return inBatches(ids, (batch) =>
    trouble.insist("find tasks in", () => Promise.all(batch.map((id) => queue.getJob(id)))),
  );
}

/** Reads which tasks run, and which failed; all other tasks of the queue wait. */
export async function readStates({
  queue,
  trouble,
}: QueueParts): Promise<Readonly<Record<"running" | "failed", ReadonlySet<string>>>> {
  const read = async (type: JobType): Promise<ReadonlySet<string>> => {
    const ranges = await trouble.insist("find tasks in", () =>
      queue.getBackend().getRanges([type], 0, -1, true),
    );
    return new Set(ranges.flat());
  };
  return { running: await read("active"), failed: await read("failed") };
}

/** Lists the workers that are connected to the queue. */
export async function listWorkers({ queue, trouble }: QueueParts): Promise<readonly QueueWorker[]> {
  const clients = await trouble.insist("list workers of", () => queue.getWorkers());
  return clients.flatMap(({ rawname }) => {
    const name = rawname?.split(WORKER_MARK)[1];
    return name === undefined ? [] : [{ name: decodeWorker(name) }];
  });
}

/** Text before the name of the worker in the names that BullMQ gives connections. */
const WORKER_MARK = ":w:";
