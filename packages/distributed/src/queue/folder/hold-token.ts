import { lutimes } from "node:fs/promises";
import { join } from "node:path";
import type { InputError } from "@isthmus/core";
import { ifThere } from "../../if-there.ts";
import { describeDeaths } from "../describe-deaths.ts";
import { pauseAfter, pauseWithoutRoom } from "../pause-after.ts";
import type { QueuePatience } from "../queue-patience.ts";
import type { TaskOutcome } from "../task-queue.ts";
import { writeEvent } from "./queue-events.ts";
import { moveIfThere, type QueueFolders, removeIfThere, setAside, writeWhole } from "./queue-folders.ts";
import { delayedName, findToken, readToken, type Token, tokenPath } from "./token.ts";

/** A task that this worker holds. */
export interface HeldToken {
  /** Token of the task, with this worker as its owner. */
  readonly token: Token;
  /**
   * Writes the share of the task that is done, which renews its lease.
   * @returns whether this worker still holds the task: false if the task was cancelled, or another worker
   *   took it over
   */
  renew(done: number): Promise<boolean>;
  /** Moves the token to the folder that fits the outcome, unless another worker has taken the task over. */
  settle(outcome: TaskOutcome): Promise<void>;
}

/** A worker that takes tasks. */
export interface TokenOwner {
  /** Text that is unique to the worker. */
  readonly mark: string;
  /** Name of the worker for people. */
  readonly worker: string;
}

/** Name and owner of a token that is to be taken. */
export interface TakeOptions {
  /** Id of the task, which names the file of its token. */
  readonly id: string;
  /** Worker that takes the task. */
  readonly owner: TokenOwner;
  /** Limits after which a task is given up. */
  readonly patience: QueuePatience;
  /** Called with an error about a file that is not a token and was moved away. */
  readonly tell: (error: InputError) => void;
}

/**
 * Takes a waiting task; undefined if another worker was faster, the task was cancelled, or the file is no
 * token.
 */
export async function takeToken(
  folders: QueueFolders,
  { id, owner, patience, tell }: TakeOptions,
): Promise<HeldToken | undefined> {
  const waiting = folders.waiting(id);
  const path = tokenPath(folders, "running", id);
  const now = new Date();
  // The task may have waited for hours: its lease is set to begin before others can see it run.
  if (!(await ifThere(() => lutimes(waiting, now, now).then(() => true), false))) return undefined;
  if (!(await moveIfThere(waiting, path))) return undefined;
  const inPlace = await findToken(path);
  if (inPlace === undefined) return undefined;
  if ("problem" in inPlace) {
    await setAside(folders, path, inPlace.problem, tell);
    return undefined;
  }
  const { mark, worker } = owner;
  const token = { ...inPlace.token, owner: mark, worker, began: Date.now(), done: 0 };
  await writeWhole(folders, path, JSON.stringify(token));
  const isHeld = async (): Promise<boolean> => (await readToken(path))?.owner === mark;
  return {
    token,
    async renew(done) {
      if (await removeIfThere(join(folders.cancelled, id))) {
        await removeIfThere(path);
        return false;
      }
      if (!(await isHeld())) return false;
      await writeWhole(folders, path, JSON.stringify({ ...token, done }));
      return true;
    },
    async settle(outcome) {
      await removeIfThere(join(folders.cancelled, id));
      if (await isHeld()) await settleToken(folders, { id, token, path, patience }, outcome);
    },
  };
}

interface Settled {
  readonly id: string;
  readonly token: Token & { readonly worker: string };
  readonly path: string;
  readonly patience: QueuePatience;
}

async function settleToken(
  folders: QueueFolders,
  { id, token, path, patience }: Settled,
  outcome: TaskOutcome,
): Promise<void> {
  const { task, worker } = token;
  if (outcome.kind === "done") {
    await writeEvent(folders, task, { id, kind: "done", worker, seconds: outcome.seconds });
    await removeIfThere(path);
    return;
  }
  const left = { ...token, owner: undefined, done: undefined, began: undefined };
  const leave = async (after: Token, to: string): Promise<void> => {
    await writeWhole(folders, path, JSON.stringify(after));
    await moveIfThere(path, to);
  };
  const delay = async (after: Token, pause: number, reason: string): Promise<void> => {
    await leave(after, join(folders.delayed, delayedName(id, Date.now() + pause)));
    await writeEvent(folders, task, { id, kind: "retried", reason });
  };
  if (outcome.kind === "released") {
    if (outcome.reason !== undefined) return delay(left, pauseWithoutRoom(patience.pause), outcome.reason);
    return leave(left, folders.waiting(id));
  }
  const attempts = token.attempts + 1;
  const deaths = token.deaths + (outcome.died ? 1 : 0);
  const isPoison = outcome.died && deaths >= patience.deaths;
  const error = isPoison
    ? describeDeaths({ label: task.task.label, deaths, worker, reason: outcome.error.message })
    : outcome.error;
  const failed = { ...left, attempts, deaths, error };
  if (isPoison || !outcome.again || attempts >= patience.attempts) {
    await leave(failed, tokenPath(folders, "failed", id));
    return writeEvent(folders, task, { id, kind: "failed", error });
  }
  return delay(failed, pauseAfter(attempts, patience.pause), error.message);
}
