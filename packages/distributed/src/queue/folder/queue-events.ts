import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readJsonFile } from "@isthmus/core";
import { namesIn } from "../../if-there.ts";
import { repeat } from "../../repeat.ts";
import { digestStore, type QueuedTask } from "../queued-task.ts";
import type { QueueEvent } from "../task-queue.ts";
import type { FolderTrouble } from "./folder-trouble.ts";
import { type QueueFolders, removeIfThere, writeWhole, writtenAt } from "./queue-folders.ts";
import { readToken, tokenPath } from "./token.ts";

/** Milliseconds between two looks for new events. */
const LOOK_MS = 250;
/** Number of looks for new events between two looks at the progress of running tasks. */
const LOOKS_PER_PROGRESS = 4;

/** An event that is written to a file; the progress of a running task is read from its token instead. */
export type WrittenEvent = Exclude<
  QueueEvent,
  {
    /** Kinds of events that are not written. */
    readonly kind: "started" | "progress";
  }
>;

/** Writes an event of a task to a file, for commands that wait for the task now or later. */
export async function writeEvent(
  folders: QueueFolders,
  { store }: QueuedTask,
  event: WrittenEvent,
): Promise<void> {
  const folder = join(folders.events, digestStore(store));
  await mkdir(folder, { recursive: true });
  await writeWhole(folders, join(folder, `${Date.now()}-${randomUUID()}`), JSON.stringify(event));
}

/** Reads events of the tasks of a store repeatedly; the returned function ends this. */
export function followEvents(
  folders: QueueFolders,
  store: string,
  { listener, trouble }: FollowControl,
): () => Promise<void> {
  const digest = digestStore(store);
  const folder = join(folders.events, digest);
  const progress = createProgressReader(folders, digest);
  let looks = 0;
  const looking = repeat(LOOK_MS, async () => {
    try {
      await readEvents(folder, listener);
      if (looks++ % LOOKS_PER_PROGRESS !== 0) return;
      await progress.read(listener);
      trouble.isOver();
    } catch (error) {
      trouble.tell(error);
    }
  });
  return async () => {
    await looking.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

interface FollowControl {
  readonly listener: (event: QueueEvent) => void;
  readonly trouble: FolderTrouble;
}

async function readEvents(folder: string, listener: (event: QueueEvent) => void): Promise<void> {
  for (const name of [...(await namesIn(folder))].sort()) {
    const path = join(folder, name);
    // A file that cannot be read is no event of ours; it must not block the others.
    const event = await readJsonFile(path).catch(() => undefined);
    await removeIfThere(path);
    if (isEvent(event)) listener(event);
  }
}

function isEvent(value: unknown): value is QueueEvent {
  const { id, kind } = (value ?? {}) as Partial<QueueEvent>;
  return typeof id === "string" && typeof kind === "string";
}

/**
 * Makes a function that reads the progress of running tasks, from tokens that were written since its last
 * call.
 */
function createProgressReader(folders: QueueFolders, digest: string) {
  const seen = new Map<string, number>();
  const readOne = async (id: string): Promise<QueueEvent | undefined> => {
    const path = tokenPath(folders, "running", id);
    const written = await writtenAt(path);
    if (written === undefined || seen.get(id) === written) return undefined;
    const { worker, done = 0 } = (await readToken(path)) ?? {};
    // A worker that has just taken a task has not written its name yet.
    if (worker === undefined) return undefined;
    const isNew = !seen.has(id);
    seen.set(id, written);
    return isNew ? { id, kind: "started", worker } : { id, kind: "progress", worker, done };
  };
  return {
    async read(listener: (event: QueueEvent) => void): Promise<void> {
      const ids = new Set((await namesIn(folders.running)).filter((name) => name.endsWith(digest)));
      for (const id of [...seen.keys()]) if (!ids.has(id)) seen.delete(id);
      for (const id of ids) {
        const event = await readOne(id);
        if (event !== undefined) listener(event);
      }
    },
  };
}
