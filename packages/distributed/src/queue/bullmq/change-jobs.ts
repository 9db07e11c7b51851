import type { QueuePatience } from "../queue-patience.ts";
import type { QueuedTask } from "../queued-task.ts";
import { packTask, type TaskJob } from "./job-data.ts";
import { inBatches, type QueueParts, readJobs, readStates } from "./look-at-jobs.ts";

/** Adds tasks to a queue: failed ones are tried again, waiting and running ones are left alone. */
export async function addJobs(
  parts: QueueParts,
  tasks: readonly QueuedTask[],
  { attempts }: QueuePatience,
): Promise<void> {
  if (tasks.length === 0) return;
  const { running, failed } = await readStates(parts);
  const again = tasks.filter(({ id }) => failed.has(id));
  if (again.length > 0) await reviveJobs(parts, again);
  await keepRunning(
    parts,
    tasks.filter(({ id }) => running.has(id)),
  );
  const { queue, trouble } = parts;
  const opts = {
    attempts,
    // The worker's strategy decides how long the pauses are.
    backoff: { type: "custom" },
    removeOnComplete: true,
    stackTraceLimit: 1,
  };
  await inBatches(
    tasks.filter(({ id }) => !failed.has(id)),
    (batch) =>
      trouble.insist("add tasks to", () =>
        queue.addBulk(
          batch.map((entry) => ({
            name: entry.task.kind,
            data: { entry: packTask(entry) },
            opts: { ...opts, jobId: entry.id },
          })),
        ),
      ),
  );
}

/** Tries failed tasks again with their new entries, which may name other folders than before. */
async function reviveJobs(parts: QueueParts, tasks: readonly QueuedTask[]): Promise<void> {
  const entries = new Map(tasks.map((entry) => [entry.id, entry]));
  await changeJobs(parts, [...entries.keys()], "add tasks to", async (job) => {
    const entry = entries.get(job.data.entry.id);
    if (entry !== undefined) await job.updateData({ entry: packTask(entry) });
    return retryJob(job);
  });
}

/** Lets cancelled tasks go on whose workers have not seen the cancellation yet. */
async function keepRunning(parts: QueueParts, tasks: readonly QueuedTask[]): Promise<void> {
  const ids = tasks.map(({ id }) => id);
  await changeJobs(parts, ids, "add tasks to", async (job) => {
    if (!job.data.cancelled) return false;
    await job.updateData({ entry: job.data.entry });
    return true;
  });
}

/** Tries failed tasks again, and returns their number. */
export async function retryJobs(parts: QueueParts, ids: readonly string[]): Promise<number> {
  const { failed } = await readStates(parts);
  const some = [...new Set(ids)].filter((id) => failed.has(id));
  return changeJobs(parts, some, "try tasks again in", retryJob);
}

/**
 * Takes tasks out of the queue, and returns their number; running ones are marked, and their workers drop
 * them.
 */
export function cancelJobs(parts: QueueParts, ids: readonly string[]): Promise<number> {
  return changeJobs(parts, [...new Set(ids)], "cancel tasks of", async (job) => {
    // First the mark: a worker that takes the job between the two calls sees it.
    await job.updateData({ ...job.data, cancelled: true });
    await job.remove().catch((error: Error) => {
      if (!/locked/.test(error.message)) throw error;
    });
    return true;
  });
}

async function retryJob(job: TaskJob): Promise<boolean> {
  await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
  return true;
}

/**
 * Changes jobs one by one, and returns the number of changed jobs; a job that another process moved or
 * removed meanwhile is left out.
 * @param change - returns whether it changed the job
 */
async function changeJobs(
  parts: QueueParts,
  ids: readonly string[],
  doing: string,
  change: (job: TaskJob) => Promise<boolean>,
): Promise<number> {
  const changed = await inBatches(ids, async (batch) => {
    const jobs = (await readJobs(parts, batch)).filter((job) => job !== undefined);
    return parts.trouble.insist(doing, () => Promise.all(jobs.map((job) => change(job).catch(falseIfMoved))));
  });
  return changed.filter(Boolean).length;
}

/**
 * Returns false for an error that says that a job is gone, or no longer in the expected state (BullMQ numbers
 * these below 0); throws other errors.
 */
function falseIfMoved(error: unknown): false {
  const { code } = error as { code?: unknown };
  if (typeof code === "number" && code < 0) return false;
  throw error;
}
