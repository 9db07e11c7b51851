import { EngineError } from "@isthmus/core";
import { describeError } from "@isthmus/tasks";
import { DelayedError, UnrecoverableError, WaitingError } from "bullmq";
import { describeDeaths } from "../describe-deaths.ts";
import { pauseWithoutRoom } from "../pause-after.ts";
import type { QueuePatience } from "../queue-patience.ts";
import type { TaskHandler, TaskOutcome } from "../task-queue.ts";
import {
  type JobProgress,
  type JobResult,
  plainText,
  progressOf,
  type TaskJob,
  unpackTask,
  writeError,
} from "./job-data.ts";
import { createReporter } from "./report-progress.ts";
import type { Trouble } from "./trouble.ts";

/** A task that this worker runs. */
export interface RunningJob {
  /** Job of BullMQ that has the task. */
  readonly job: TaskJob;
  /** Controller that stops the task; it is aborted once, when `stopped` is set. */
  readonly abort: AbortController;
  /** Reason for aborting the task. */
  stopped?: "lost" | "cancelled";
}

/** Parts of a worker that running a job needs. */
export interface JobRunner {
  /** Name of the worker. */
  readonly worker: string;
  /** Function that runs a task and returns its outcome. */
  readonly handle: TaskHandler;
  /** Limits after which a task is given up. */
  readonly patience: QueuePatience;
  /** Reports of lost connections, and repetition of requests until the database answers. */
  readonly trouble: Trouble;
  /** Tasks that this worker runs, by their ids. */
  readonly running: Map<string, RunningJob>;
  /** Reads the current state of a job; undefined if the job is gone. */
  readonly read: (id: string) => Promise<TaskJob | undefined>;
}

/**
 * Runs a job: BullMQ takes the outcome from the returned value or the thrown error.
 * @param token - proof that this worker owns the job
 */
export async function runJob(job: TaskJob, token: string, runner: JobRunner): Promise<JobResult> {
  const { worker, patience, running } = runner;
  const before = progressOf(job);
  // This worker's strategy for pauses decides how often a task is tried, so BullMQ's own limit is lifted.
  job.opts.attempts = Number.MAX_SAFE_INTEGER;
  if (job.data.cancelled) return drop(job, worker);
  const forgiven = before?.forgiven ?? 0;
  const { error: lastError, deaths: lastDeaths } = before ?? {};
  const last = { worker, done: 0, began: Date.now(), error: lastError, deaths: lastDeaths, forgiven };
  const deaths = deathsOf(job, last);
  if (deaths >= patience.deaths) {
    const error = describeDeaths({ label: job.data.entry.label, deaths, worker: before?.worker });
    return fail(
      job,
      { kind: "failed", error, again: false },
      { ...last, worker: before?.worker ?? worker },
      patience,
    );
  }
  const entry: RunningJob = { job, abort: new AbortController() };
  running.set(job.data.entry.id, entry);
  const outcome = await callHandler(entry, last, runner);
  return settle(entry, { outcome, token, last }, runner);
}

/** Counts the workers, and processes of workers, that died with a job since the task was set aside last. */
function deathsOf(
  { stalledCounter }: TaskJob,
  { deaths = 0, forgiven }: Pick<JobProgress, "deaths" | "forgiven">,
): number {
  return stalledCounter - forgiven + deaths;
}

async function callHandler(
  entry: RunningJob,
  last: Omit<JobProgress, "kind">,
  { handle, trouble, running }: JobRunner,
): Promise<TaskOutcome> {
  const { job, abort } = entry;
  const { signal } = abort;
  const { id } = job.data.entry;
  const reporter = createReporter(async (done) => {
    if (signal.aborted) return;
    const kind = done === undefined ? "started" : "progress";
    await job.updateProgress({ ...last, kind, done: done ?? 0 });
  }, trouble);
  try {
    await reporter.begun;
    return await handle(unpackTask(job.data.entry), { signal, onProgress: reporter.report });
  } catch (error) {
    return { kind: "failed", error: describeError(error), again: false };
  } finally {
    // After a lost lease this worker may have been handed the task anew.
    if (running.get(id) === entry) running.delete(id);
    await reporter.end();
  }
}

/** Reports the outcome of a task to BullMQ. */
async function settle(
  entry: RunningJob,
  { outcome, token, last }: { outcome: TaskOutcome; token: string; last: Omit<JobProgress, "kind"> },
  { worker, read, patience }: JobRunner,
): Promise<JobResult> {
  const { job, stopped } = entry;
  // Another worker runs the task, or will: its outcome here does not count.
  if (stopped === "lost") throw new WaitingError();
  if (outcome.kind === "done") return { worker, seconds: outcome.seconds };
  // If the task was added again meanwhile, its mark of cancellation is gone.
  if (stopped === "cancelled" && (await read(job.data.entry.id))?.data.cancelled) return drop(job, worker);
  if (stopped === "cancelled" || outcome.kind === "released") {
    if (outcome.kind !== "released" || outcome.reason === undefined) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    await job.moveToDelayed(Date.now() + pauseWithoutRoom(patience.pause), token);
    throw new DelayedError();
  }
  if (outcome.died) return failDead(job, outcome, last, patience);
  return fail(job, outcome, last, patience);
}

type Failed = TaskOutcome & { kind: "failed" };

/** Fails a job whose process has died, which counts as the death of a worker. */
function failDead(
  job: TaskJob,
  outcome: Failed,
  last: Omit<JobProgress, "kind">,
  patience: QueuePatience,
): Promise<never> {
  const after = { ...last, deaths: (last.deaths ?? 0) + 1 };
  const deaths = deathsOf(job, after);
  if (deaths < patience.deaths) return fail(job, outcome, after, patience);
  const { label } = job.data.entry;
  const error = describeDeaths({ label, deaths, worker: last.worker, reason: outcome.error.message });
  return fail(job, { kind: "failed", error, again: false }, after, patience);
}

/** Fails a job so that the full description of its error stays with it. */
async function fail(
  job: TaskJob,
  { error, again }: Failed,
  last: Omit<JobProgress, "kind">,
  { attempts }: QueuePatience,
): Promise<never> {
  const isLast = !again || job.attemptsMade + 1 >= attempts;
  // If the task is tried again after its last attempt, its deaths are counted from 0.
  const counts = isLast && { deaths: undefined, forgiven: job.stalledCounter };
  await job.updateProgress({ ...last, ...counts, kind: "fault", error: writeError(error) });
  const message = plainText(error.message);
  const thrown = again ? new EngineError(message, { engine: "worker" }) : new UnrecoverableError(message);
  thrown.stack = plainText(error.stack ?? message);
  throw thrown;
}

/** Fails a job that was cancelled, and removes it from the queue. */
function drop(job: TaskJob, worker: string): never {
  job.opts.removeOnFail = true;
  throw new UnrecoverableError(plainText(`${job.data.entry.label} was cancelled while ${worker} ran it`));
}
