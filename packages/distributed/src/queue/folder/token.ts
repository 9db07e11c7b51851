import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import { excerpt, isIsthmusError, readJsonFile } from "@isthmus/core";
import type { ErrorDescription } from "@isthmus/tasks";
import { ifThere } from "../../if-there.ts";
import { findEntryProblem, isId, type QueuedTask } from "../queued-task.ts";
import type { QueueEntry, QueueState } from "../task-queue.ts";
import type { QueueFolders } from "./queue-folders.ts";

/** Contents of the file of a task in a folder queue: the task with its history. */
export interface Token {
  /** Entry of the task, with the folders of its files. */
  readonly task: QueuedTask;
  /** Number of attempts that failed for reasons outside the task, such as a full disk. */
  readonly attempts: number;
  /** Number of workers, and of processes of workers, that died with the task. */
  readonly deaths: number;
  /** Mark of the worker that runs the task, or ran it last; missing before the first. */
  readonly owner?: string | undefined;
  /** Name of that worker for people. */
  readonly worker?: string | undefined;
  /** Time when that worker began the task, in milliseconds since 1970. */
  readonly began?: number | undefined;
  /** Share of the task that is done. */
  readonly done?: number | undefined;
  /** Latest error of the task. */
  readonly error?: ErrorDescription | undefined;
}

/** Makes the token of a new task. */
export const newToken = (task: QueuedTask): Token => ({ task, attempts: 0, deaths: 0 });

/** Contents of the file of a token: the token, or the reason why the file is no token. */
export type FoundToken =
  | { /** Token in the file. */ readonly token: Token }
  | {
      /** Reason why the file is no token, as the end of a sentence. */
      readonly problem: string;
    };

/**
 * Reads the file of a token, which may have been written by anybody; undefined if there is no file.
 * @throws InputError if the file cannot be read at the moment
 */
export function findToken(path: string): Promise<FoundToken | undefined> {
  return ifThere<FoundToken | undefined>(async () => {
    if (!(await lstat(path)).isFile())
      return { problem: "it must be a regular file: it is a folder, a link, a device or a pipe" };
    try {
      const value = await readJsonFile(path);
      const problem = findTokenProblem(value, idOf(basename(path)));
      return problem === undefined ? { token: value as Token } : { problem };
    } catch (error) {
      if (isIsthmusError(error, "FormatError")) return { problem: `it must hold one: ${error.message}` };
      throw error;
    }
  }, undefined);
}

/** Reads a token; undefined if the file is missing or is no token. */
export async function readToken(path: string): Promise<Token | undefined> {
  const inPlace = await findToken(path);
  return inPlace !== undefined && "token" in inPlace ? inPlace.token : undefined;
}

function findTokenProblem(value: unknown, id: string): string | undefined {
  const { task, attempts, deaths } = (value ?? {}) as Partial<Token>;
  const problem = findEntryProblem(task);
  if (problem !== undefined) return problem;
  if (task?.id !== id) return `its "id" must be the name of its file: it is ${excerpt(task?.id)}`;
  for (const count of [attempts, deaths])
    if (!Number.isSafeInteger(count) || Number(count) < 0)
      return `it must count its attempts and deaths: one is ${excerpt(count)}`;
  return undefined;
}

/** Returns the id of a token by the name of its file, in any of the folders. */
const idOf = (name: string): string => readDelayedName(name)?.id ?? name;

/** Describes a task as an entry of the queue. */
export function entryOf({ task, worker, done, began, error }: Token, state: QueueState): QueueEntry {
  const { label, kind } = task.task;
  const runs = state === "running" && { done: done ?? 0, began };
  return { id: task.id, label, kind, store: task.store, state, worker, ...runs, error };
}

/** Returns the path of the token of a running or failed task. */
export function tokenPath(folders: QueueFolders, state: "running" | "failed", id: string): string {
  return join(folders[state], id);
}

/** Returns the name of the token of a task that waits for its next try. */
export const delayedName = (id: string, due: number): string => `${due}~${id}`;

/**
 * Reads the name of the token of a task that waits for its next try; undefined if the name has another form.
 */
export function readDelayedName(name: string): { readonly due: number; readonly id: string } | undefined {
  const [, due, id] = /^(\d+)~(.+)$/.exec(name) ?? [];
  return due === undefined || id === undefined || !isId(id) ? undefined : { due: Number(due), id };
}
