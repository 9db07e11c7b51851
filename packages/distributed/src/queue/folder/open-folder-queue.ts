import { join } from "node:path";
import { at } from "@isthmus/core";
import { inOrder } from "@isthmus/tasks";
import { namesIn } from "../../if-there.ts";
import { QUEUE_PATIENCE, type QueuePatience } from "../queue-patience.ts";
import { isId, type QueuedTask } from "../queued-task.ts";
import {
  QUEUE_STATES,
  type QueueCounts,
  type QueueEntry,
  type QueueState,
  type QueueWorker,
  type ServeQueueOptions,
  type TaskQueue,
} from "../task-queue.ts";
import { createFolderTrouble } from "./folder-trouble.ts";
import { followEvents } from "./queue-events.ts";
import {
  openQueueFolders,
  type QueueFolders,
  removeIfThere,
  waitingIn,
  writeWhole,
  writtenAt,
} from "./queue-folders.ts";
import { serveFolder, workerOf } from "./serve-folder.ts";
import { entryOf, newToken, readDelayedName, readToken, type Token, tokenPath } from "./token.ts";

/** Number of leases after which a silent worker is no longer listed. */
const FORGOTTEN_LEASES = 3;
/** Number of tokens that are written or read at once. */
const AT_ONCE = 16;

/** Options of {@link openFolderQueue}. */
export interface FolderQueueOptions extends Partial<QueuePatience>, Pick<ServeQueueOptions, "onTrouble"> {
  /** Whether to make the folder if there is no queue yet. @defaultValue true */
  readonly mayMake?: boolean;
}

/**
 * Opens a queue that is a folder, on a disk that all machines share; a missing folder is made.
 *
 * Tasks are taken in no particular order.
 * @throws InputError if the folder cannot be made
 */
export async function openFolderQueue(
  root: string,
  { onTrouble, mayMake = true, ...patience }: FolderQueueOptions = {},
): Promise<TaskQueue> {
  const folders = await openQueueFolders(root, mayMake);
  const settings: QueuePatience = { ...QUEUE_PATIENCE, ...patience };
  return {
    name: root,
    add: (tasks) => inTurns(tasks, (task) => addTask(folders, task)).then(() => {}),
    follow: async (store, listener) =>
      followEvents(folders, store, { listener, trouble: createFolderTrouble(onTrouble) }),
    find: (ids) => inTurns(ids, async (id) => (isId(id) ? findEntry(folders, id) : undefined)),
    count: () => countTasks(folders),
    list: (state, limit) => listEntries(folders, state, limit),
    workers: () => listWorkers(folders, settings),
    cancel: async (ids) => countTrue(await inTurns(ids.filter(isId), (id) => cancelTask(folders, id))),
    retry: async (ids) =>
      countTrue(
        await inTurns(ids.filter(isId), async (id) => {
          const token = await readToken(tokenPath(folders, "failed", id));
          if (token !== undefined) await addTask(folders, token.task);
          return token !== undefined;
        }),
      ),
    serve: async (handle, options) => serveFolder(folders, handle, { ...settings, ...options }),
    async close() {},
  };
}

/** Calls a function for each item of a list, a few at a time; results are in the order of the items. */
async function inTurns<T, R>(things: readonly T[], act: (thing: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for await (const result of inOrder(things.length, AT_ONCE, (index) => act(at(things, index, "thing")))) {
    results.push(result);
  }
  return results;
}

const countTrue = (values: readonly boolean[]): number => values.filter(Boolean).length;

async function addTask(folders: QueueFolders, task: QueuedTask): Promise<void> {
  const { id } = task;
  if (await isQueued(folders, id)) return;
  const failed = tokenPath(folders, "failed", id);
  const error = (await isThere(failed)) ? (await readToken(failed))?.error : undefined;
  await removeIfThere(join(folders.cancelled, id));
  await writeWhole(folders, folders.waiting(id), JSON.stringify({ ...newToken(task), error }));
  await removeIfThere(failed);
}

/** Checks whether a task waits or runs. */
async function isQueued(folders: QueueFolders, id: string): Promise<boolean> {
  for (const path of [folders.waiting(id), tokenPath(folders, "running", id)])
    if (await isThere(path)) return true;
  const names = [...(await namesIn(folders.delayed)), ...(await namesIn(folders.expired))];
  return names.some((name) => readDelayedName(name)?.id === id);
}

const isThere = async (path: string): Promise<boolean> => (await writtenAt(path)) !== undefined;

/** Finds a task in any folder, looking in the order in which tokens move. */
async function findEntry(folders: QueueFolders, id: string): Promise<QueueEntry | undefined> {
  for (const state of QUEUE_STATES) {
    const path = state === "waiting" ? folders.waiting(id) : tokenPath(folders, state, id);
    const token = (await isThere(path)) ? await readToken(path) : undefined;
    if (token !== undefined) return entryOf(token, state);
  }
  for (const folder of [folders.delayed, folders.expired]) {
    const name = (await namesIn(folder)).find((entry) => readDelayedName(entry)?.id === id);
    const token = name === undefined ? undefined : await readToken(join(folder, name));
    if (token !== undefined) return entryOf(token, "waiting");
  }
  return undefined;
}

async function countTasks(folders: QueueFolders): Promise<QueueCounts> {
  const counts = await countOnce(folders);
  // A task may have moved from folders that were not counted yet to folders that were.
  return counts.waiting + counts.running > 0 ? counts : countOnce(folders);
}

async function countOnce(folders: QueueFolders): Promise<QueueCounts> {
  const lengthOf = async (folder: string): Promise<number> => (await namesIn(folder)).length;
  // A task that moves meanwhile is counted twice rather than not at all.
  const before = await lengthOf(folders.running);
  let waiting = 0;
  for (const folder of [folders.expired, ...folders.shards, folders.delayed])
    waiting += await lengthOf(folder);
  const running = Math.max(before, await lengthOf(folders.running));
  return { waiting, running, failed: await lengthOf(folders.failed) };
}

async function listEntries(
  folders: QueueFolders,
  state: QueueState,
  limit: number,
): Promise<readonly QueueEntry[]> {
  const places = state === "waiting" ? [...folders.shards, folders.delayed] : [folders[state]];
  const entries: QueueEntry[] = [];
  for (const folder of places) {
    const all = folders.shards.includes(folder) ? await waitingIn(folders, folder) : await namesIn(folder);
    const names = all.slice(0, limit - entries.length);
    const tokens = await inTurns(names, (name) => readToken(join(folder, name)));
    entries.push(
      ...tokens.filter((token): token is Token => token !== undefined).map((token) => entryOf(token, state)),
    );
    if (entries.length >= limit) break;
  }
  return entries;
}

async function listWorkers(folders: QueueFolders, { lease }: QueuePatience): Promise<readonly QueueWorker[]> {
  const workers: QueueWorker[] = [];
  for (const name of await namesIn(folders.workers)) {
    const path = join(folders.workers, name);
    const written = await writtenAt(path);
    const worker = workerOf(name);
    if (written === undefined || worker === undefined) continue;
    const silent = Math.max(0, Date.now() - written);
    if (silent < FORGOTTEN_LEASES * lease) workers.push({ name: worker, silent: silent / 1000 });
    else await removeIfThere(path);
  }
  return workers;
}

async function cancelTask(folders: QueueFolders, id: string): Promise<boolean> {
  if (await removeIfThere(folders.waiting(id))) return true;
  if (await isThere(tokenPath(folders, "running", id))) {
    await writeWhole(folders, join(folders.cancelled, id), "");
    return true;
  }
  for (const name of await namesIn(folders.delayed)) {
    if (readDelayedName(name)?.id === id) return removeIfThere(join(folders.delayed, name));
  }
  return removeIfThere(tokenPath(folders, "failed", id));
}
