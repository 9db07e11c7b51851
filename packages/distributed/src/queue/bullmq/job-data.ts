import { parseJson } from "@isthmus/core";
import type { ErrorDescription } from "@isthmus/tasks";
import type { IQueueBackend, Job, Queue } from "bullmq";
import { assertEntry, type QueuedTask } from "../queued-task.ts";
import type { QueueEntry, QueueState } from "../task-queue.ts";
import type { BackingClient } from "./backing.ts";

/**
 * A task as a job carries it: what people look for in a dashboard, and the whole of it as text. PostgreSQL
 * would give the keys of its parameters back in another order, and results hold them as they were.
 */
export interface PackedTask extends Pick<QueuedTask, "id" | "store"> {
  readonly label: string;
  readonly kind: string;
  readonly json: string;
}

/** Packs a task for a job. */
export function packTask(queued: QueuedTask): PackedTask {
  const { id, store, task } = queued;
  const { label, kind } = task;
  return { id, store, kind, label: plainText(label), json: JSON.stringify(queued) };
}

/**
 * Takes a task out of a job, which others may have written.
 * @throws FormatError or InputError if it holds none
 */
export function unpackTask({ json }: PackedTask): QueuedTask {
  const queued = parseJson(json, { attempt: "read a task of the queue" });
  assertEntry(queued, "read a task of the queue");
  return queued;
}

/** What a job of BullMQ is about. */
export interface JobData {
  readonly entry: PackedTask;
  /** Set when the task was cancelled while it ran: its worker drops it. */
  readonly cancelled?: true;
}

/** What a job of BullMQ gives back. */
export interface JobResult {
  readonly worker: string;
  readonly seconds: number;
}

/** What a worker says of a job, as the progress of BullMQ: the last of it stays with the job. */
export interface JobProgress {
  readonly kind: "started" | "progress" | "fault";
  readonly worker: string;
  readonly done: number;
  readonly began: number;
  /** Why it failed last, as `writeError` writes it. */
  readonly error?: string | undefined;
  /** Processes of workers that died with it; missing if none did. */
  readonly deaths?: number | undefined;
  /** Deaths of workers that no longer count, as the task was set aside for them before. */
  readonly forgiven: number;
}

export type TaskJob = Job<JobData, JobResult, string>;

/** A queue of BullMQ whose jobs are tasks. */
export type JobQueue = Queue<
  JobData,
  JobResult,
  string,
  JobData,
  JobResult,
  string,
  IQueueBackend,
  BackingClient
>;

/** Returns what a worker said of a job last; undefined if none had it. */
export function progressOf({ progress }: TaskJob): JobProgress | undefined {
  return isProgress(progress) ? progress : undefined;
}

/** Checks whether something is what a worker of ours says of a job. */
export function isProgress(value: unknown): value is JobProgress {
  return typeof value === "object" && value !== null && "kind" in value && "worker" in value;
}

/** Describes a job as an entry of the queue. */
export function entryOf(job: TaskJob, state: QueueState): QueueEntry {
  const { entry } = job.data;
  const progress = progressOf(job);
  const runs = state === "running" && progress !== undefined && progress.kind !== "fault";
  return {
    id: entry.id,
    label: entry.label,
    kind: entry.kind,
    store: entry.store,
    state,
    worker: workerOf(job, state, progress),
    done: runs ? progress.done : undefined,
    began: runs ? progress.began : undefined,
    error: progress?.error === undefined ? strangeError(job) : readError(progress.error),
  };
}

function workerOf(
  { processedBy }: TaskJob,
  state: QueueState,
  progress: JobProgress | undefined,
): string | undefined {
  // A worker that has just taken a task has said nothing yet.
  const taken = state === "running" && (progress === undefined || progress.kind === "fault");
  if (taken && processedBy !== undefined) return decodeWorker(processedBy);
  return progress?.worker;
}

/** The error of a job that BullMQ or a dashboard failed, of which no worker said anything. */
function strangeError({ failedReason }: TaskJob): ErrorDescription | undefined {
  return failedReason ? { name: "Error", message: failedReason, isUsage: false } : undefined;
}

/** Writes a name of a worker as one word, which clients of Redis and PostgreSQL can be named by. */
export function encodeWorker(name: string): string {
  return encodeURIComponent(name);
}

export function decodeWorker(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // cut off, as PostgreSQL does with long names
  }
}

/**
 * Writes an error as a text that any database takes: PostgreSQL takes no NUL within JSON, which is escaped
 * twice here, and numbers that are not finite would become null.
 */
export function writeError(error: ErrorDescription): string {
  return JSON.stringify(error, (_key, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? { [NUMBER]: String(value) } : value,
  );
}

/** Reads an error that `writeError` wrote. */
export function readError(text: string): ErrorDescription {
  const error = parseJson(text, { attempt: "read why a task failed" }) as ErrorDescription;
  if (error.fields === undefined) return error;
  const fields = Object.entries(error.fields).map(([name, value]) => [name, readNumber(value)]);
  return { ...error, fields: Object.fromEntries(fields) };
}

function readNumber(value: unknown): unknown {
  return typeof value === "object" && value !== null && NUMBER in value ? Number(value[NUMBER]) : value;
}

const NUMBER = "$number";

/** Returns a text without what PostgreSQL does not take: NUL, and halves of characters. */
export function plainText(text: string): string {
  return text.replace(/[\0\p{Cs}]/gu, "\uFFFD");
}
