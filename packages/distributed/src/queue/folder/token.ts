import { join } from "node:path";
import { isIsthmusError, readJsonFile } from "@isthmus/core";
import type { ErrorDescription } from "@isthmus/tasks";
import { ifThere } from "../../if-there.ts";
import type { QueuedTask } from "../queued-task.ts";
import type { QueueEntry, QueueState } from "../task-queue.ts";
import type { QueueFolders } from "./queue-folders.ts";

/** A task in a folder queue, with its past: the contents of its file. */
export interface Token {
  readonly task: QueuedTask;
  /** Times that it was tried and failed by a fault of the world. */
  readonly attempts: number;
  /** Workers, and processes of workers, that died with it. */
  readonly deaths: number;
  /** Mark of the worker that runs it, or ran it last; missing before the first. */
  readonly owner?: string | undefined;
  /** Name of that worker for people. */
  readonly worker?: string | undefined;
  /** When that worker began it, in milliseconds since 1970. */
  readonly began?: number | undefined;
  /** Share of its work that is done. */
  readonly done?: number | undefined;
  /** Why it failed last. */
  readonly error?: ErrorDescription | undefined;
}

/** Makes the token of a task that no worker has had. */
export const newToken = (task: QueuedTask): Token => ({ task, attempts: 0, deaths: 0 });

/** Reads a token; undefined if there is none, or its file is damaged. */
export function readToken(path: string): Promise<Token | undefined> {
  return ifThere(async () => {
    const token = (await readJsonFile(path).catch(dropDamaged)) as Partial<Token> | null | undefined;
    const { id, task } = token?.task ?? {};
    return typeof id === "string" && typeof task?.key === "string" ? (token as Token) : undefined;
  }, undefined);
}

function dropDamaged(error: unknown): undefined {
  if (isIsthmusError(error, "FormatError")) return undefined;
  throw error;
}

/** Returns what a queue says of a task. */
export function entryOf({ task, worker, done, began, error }: Token, state: QueueState): QueueEntry {
  const { label, kind } = task.task;
  const runs = state === "running" && { done: done ?? 0, began };
  return { id: task.id, label, kind, store: task.store, state, worker, ...runs, error };
}

/** Returns the path of the token of a running or failed task. */
export function tokenPath(folders: QueueFolders, state: "running" | "failed", id: string): string {
  return join(folders[state], id);
}

/** Name of the token of a task that waits for its next try. */
export const delayedName = (id: string, due: number): string => `${due}~${id}`;

/** Reads the name of such a token; undefined if a file has a name of another form. */
export function readDelayedName(name: string): { readonly due: number; readonly id: string } | undefined {
  const match = /^(\d+)~(.+)$/.exec(name);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { due: Number(match[1]), id: match[2] };
}
