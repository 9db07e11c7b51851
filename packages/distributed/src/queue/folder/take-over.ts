import { join } from "node:path";
import type { InputError } from "@isthmus/core";
import { namesIn } from "../../if-there.ts";
import { describeDeaths } from "../describe-deaths.ts";
import { LONGEST_PAUSE } from "../pause-after.ts";
import type { QueuePatience } from "../queue-patience.ts";
import { isId } from "../queued-task.ts";
import type { LeaseWatch } from "./lease-watch.ts";
import { writeEvent } from "./queue-events.ts";
import {
  moveIfThere,
  type QueueFolders,
  removeIfThere,
  setAside,
  writeWhole,
  writtenAt,
} from "./queue-folders.ts";
import { delayedName, findToken, readDelayedName, type Token, tokenPath } from "./token.ts";

/** Options of {@link takeOver}. */
export interface TakeOverOptions extends QueuePatience {
  /** Called with an error about a file that is not a task and was moved away. */
  readonly tell: (error: InputError) => void;
  /** Watch that judges whether workers are dead. */
  readonly watch: LeaseWatch;
}

/**
 * Takes tasks from workers that have not been heard of for a lease, and lets tasks wait again whose next try
 * is due. Every worker calls this now and then; each task is moved by only one of them.
 * @param clock - returns the time by the clock of the file system, in milliseconds
 */
export async function takeOver(
  folders: QueueFolders,
  clock: () => Promise<number>,
  patience: TakeOverOptions,
): Promise<void> {
  await admitDelayed(folders);
  const names = await namesIn(folders.running);
  const cutOff = await namesIn(folders.expired);
  if (names.length === 0 && cutOff.length === 0) return;
  const { watch } = patience;
  watch.look(await clock());
  for (const id of names.filter(isId)) {
    const path = tokenPath(folders, "running", id);
    const written = await writtenAt(path);
    if (written === undefined || !watch.isOver(id, written)) continue;
    await bury(folders, { from: path, id }, patience);
  }
  // A worker may have died while it took over from another.
  for (const name of cutOff) {
    const taken = readDelayedName(name);
    if (taken === undefined || !watch.isOver(name, taken.due)) continue;
    await bury(folders, { from: join(folders.expired, name), id: taken.id }, patience);
  }
}

async function admitDelayed(folders: QueueFolders): Promise<void> {
  for (const name of await namesIn(folders.delayed)) {
    const delayed = readDelayedName(name);
    // No pause is as long, so that a clock was set back.
    const isFar = delayed !== undefined && delayed.due > Date.now() + LONGEST_PAUSE;
    if (delayed === undefined || (delayed.due > Date.now() && !isFar)) continue;
    await moveIfThere(join(folders.delayed, name), folders.waiting(delayed.id));
  }
}

/** Takes a token from a dead worker, and lets the task wait again, or sets it aside. */
async function bury(
  folders: QueueFolders,
  { from, id }: { readonly from: string; readonly id: string },
  patience: TakeOverOptions,
): Promise<void> {
  const mine = join(folders.expired, delayedName(id, Date.now()));
  if (!(await moveIfThere(from, mine))) return;
  const inPlace = await findToken(mine);
  if (inPlace === undefined) return;
  if ("problem" in inPlace) return setAside(folders, mine, inPlace.problem, patience.tell);
  const { token } = inPlace;
  if (await removeIfThere(join(folders.cancelled, id))) {
    await removeIfThere(mine);
    return;
  }
  const dead: Token = { ...token, deaths: token.deaths + 1 };
  const worker = token.worker ?? "a worker";
  const isPoison = dead.deaths >= patience.deaths;
  const { label } = token.task.task;
  const error = describeDeaths({ label, deaths: dead.deaths, worker: token.worker });
  const after: Token = isPoison ? { ...dead, error } : { ...dead, owner: undefined };
  await writeWhole(folders, mine, JSON.stringify(after));
  if (isPoison) await moveIfThere(mine, tokenPath(folders, "failed", id));
  else await moveIfThere(mine, folders.waiting(id));
  const event = isPoison
    ? ({ id, kind: "failed", error } as const)
    : ({ id, kind: "retried", reason: `${worker} was not heard of for ${patience.lease / 1000} s` } as const);
  await writeEvent(folders, token.task, event);
}
