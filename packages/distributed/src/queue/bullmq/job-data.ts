import { parseJson } from "@isthmus/core";
import type { ErrorDescription } from "@isthmus/tasks";
import type { IQueueBackend, Job, Queue } from "bullmq";
import { assertEntry, type QueuedTask } from "../queued-task.ts";
import type { QueueEntry, QueueState } from "../task-queue.ts";
import type { BackingClient } from "./backing.ts";

/**
 * A task as a job carries it: the fields that people look for in a dashboard, and the whole task as text.
 * PostgreSQL would give the keys of its parameters back in another order, but results keep their original
 * order.
 */
export interface PackedTask extends Pick<QueuedTask, "id" | "store"> {
  /** Label of the task for people, without characters that PostgreSQL rejects. */
  readonly label: string;
  /** Name of the task's kind. */
  readonly kind: string;
  /** Whole entry of the task as JSON, from which workers read it. */
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
 * @throws FormatError or InputError if the job holds no valid task
 */
export function unpackTask({ json }: PackedTask): QueuedTask {
  const queued = parseJson(json, { attempt: "read a task of the queue" });
  assertEntry(queued, "read a task of the queue");
  return queued;
}

/** Data of a job of BullMQ: its task. */
export interface JobData {
  /** The packed task. */
  readonly entry: PackedTask;
  /** Mark of a task that was cancelled while it ran: its worker drops it. */
  readonly cancelled?: true;
}

/** Result of a job of BullMQ: the worker that ran it and how long it took. */
export interface JobResult {
  /** Name of the worker that ran the task. */
  readonly worker: string;
  /** Seconds that the task took on the worker, from checking it to publishing its files. */
  readonly seconds: number;
}

/** Report of a worker on a job, sent as the progress of BullMQ: the latest report stays with the job. */
export interface JobProgress {
  /** Tag of the report: the task began, went on, or met an error. */
  readonly kind: "started" | "progress" | "fault";
  /** Name of the worker that reports. */
  readonly worker: string;
  /** Share of the task that is done, in `[0, 1]`. */
  readonly done: number;
  /** Time when the worker began the task, in milliseconds since 1970. */
  readonly began: number;
  /** Latest error of the task, as `writeError` writes it. */
  readonly error?: string | undefined;
  /** Number of worker processes that died with the task; missing if none did. */
  readonly deaths?: number | undefined;
  /** Number of deaths that no longer count, as the task was already set aside for them. */
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

/** Returns the latest report of a worker on a job; undefined if there is none. */
export function progressOf({ progress }: TaskJob): JobProgress | undefined {
  return isProgress(progress) ? progress : undefined;
}

/** Checks whether a value is a worker's report on a job. */
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

/** Describes the error of a job that BullMQ or a dashboard failed without a report by a worker. */
function strangeError({ failedReason }: TaskJob): ErrorDescription | undefined {
  return failedReason ? { name: "Error", message: failedReason, isUsage: false } : undefined;
}

/** Encodes the name of a worker as one word, as names of clients of Redis and PostgreSQL must be. */
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

/** Returns a text without the characters that PostgreSQL rejects: NUL, and halves of surrogate pairs. */
export function plainText(text: string): string {
  return text.replace(/[\0\p{Cs}]/gu, "\uFFFD");
}
