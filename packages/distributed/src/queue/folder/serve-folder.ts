import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { at, EngineError } from "@isthmus/core";
import { describeError } from "@isthmus/tasks";
import { repeat } from "../../repeat.ts";
import type { QueuePatience } from "../queue-patience.ts";
import type { QueueServer, ServeQueueOptions, TaskHandler } from "../task-queue.ts";
import { createFolderTrouble, type FolderTrouble } from "./folder-trouble.ts";
import { type HeldToken, takeToken } from "./hold-token.ts";
import { createLeaseWatch } from "./lease-watch.ts";
import { type QueueFolders, removeIfThere, waitingIn, writeWhole, writtenAt } from "./queue-folders.ts";
import { takeOver } from "./take-over.ts";

/** Shortest and longest pause of a worker that finds no task, in milliseconds. */
const IDLE_MS = [100, 1000] as const;
/** Minimum milliseconds between two writes of the progress of a task. */
const PROGRESS_MS = 1000;

/** Serves a folder queue; see `TaskQueue.serve`. */
export function serveFolder(
  folders: QueueFolders,
  handle: TaskHandler,
  options: ServeQueueOptions & QueuePatience,
): QueueServer {
  const owner = { mark: `${options.worker}-${randomUUID()}`, worker: options.worker };
  const running = new Set<Promise<void>>();
  const draining = new AbortController();
  const drained = aborted(draining.signal);
  const next = createTokenFinder(folders, options.worker);
  const trouble = createFolderTrouble(options.onTrouble);

  const runOne = async (held: HeldToken): Promise<void> => {
    const { renewal, signal, onProgress } = keepLease(held, options, trouble);
    const outcome = await handle(held.token.task, { signal, onProgress }).catch((error: unknown) => ({
      kind: "failed" as const,
      error: describeError(error),
      again: true,
    }));
    await renewal.stop();
    await persist(() => held.settle(outcome), trouble);
  };
  const loop = async (): Promise<void> => {
    let idle: number = IDLE_MS[0];
    while (!draining.signal.aborted) {
      if (running.size >= options.capacity) {
        await Promise.race([...running, drained]);
        continue;
      }
      const held = await takeNext().catch((error: unknown) => trouble.tell(error));
      if (held === undefined) {
        await pause(idle, undefined, { signal: draining.signal }).catch(() => {});
        idle = Math.min(2 * idle, IDLE_MS[1]);
        continue;
      }
      idle = IDLE_MS[0];
      trouble.isOver();
      const run: Promise<void> = runOne(held).finally(() => running.delete(run));
      running.add(run);
    }
  };
  const takeNext = async (): Promise<HeldToken | undefined> => {
    for (let id = await next(); id !== undefined && !draining.signal.aborted; id = await next()) {
      const held = await takeToken(folders, { id, owner, patience: options, tell: trouble.tell });
      if (held !== undefined) return held;
    }
    return undefined;
  };
  const watch = watchOthers(folders, options, trouble);
  const ended = loop();
  return {
    get running() {
      return running.size;
    },
    async drain() {
      draining.abort();
      await ended;
      await Promise.all(running);
      await watch.stop();
    },
  };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

/** Milliseconds between two attempts to write the outcome of a task, and number of attempts. */
const PERSIST = { pause: 1000, attempts: 60 };

/** Repeats an action after faults; after many faults it gives up, and another worker takes the task over. */
async function persist(act: () => Promise<void>, trouble: FolderTrouble): Promise<void> {
  for (let attempt = 0; attempt < PERSIST.attempts; attempt++) {
    try {
      return await act();
    } catch (error) {
      trouble.tell(error);
      await pause(PERSIST.pause);
    }
  }
}

/** Returns a function that finds the next task to take: it lists the folders of waiting tasks in turn. */
function createTokenFinder(folders: QueueFolders, worker: string): () => Promise<string | undefined> {
  const { shards } = folders;
  // Workers begin in different folders, so that they do not race for the same tasks.
  let shard =
    [...worker].reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) % 9973, 7) % shards.length;
  let names: string[] = [];
  return async () => {
    for (let tried = 0; names.length === 0 && tried < shards.length; tried++) {
      names = [...(await waitingIn(folders, at(shards, shard, "folder")))].reverse();
      shard = (shard + 1) % shards.length;
    }
    return names.pop();
  };
}

/** Renews the lease of a task regularly, and aborts the task once this worker has lost it. */
function keepLease(held: HeldToken, { lease }: QueuePatience, trouble: FolderTrouble) {
  const controller = new AbortController();
  let done = 0;
  let written = performance.now();
  let writing: Promise<void> = Promise.resolve();
  const renew = (): void => {
    written = performance.now();
    writing = writing.then(async () => {
      try {
        if (!(await held.renew(done))) controller.abort(lostLease(held));
      } catch (error) {
        trouble.tell(error);
      }
    });
  };
  const timer = setInterval(renew, lease / 3);
  const onProgress = (share: number): void => {
    done = share;
    if (performance.now() - written >= Math.min(PROGRESS_MS, lease / 3)) renew();
  };
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await writing;
  };
  return { signal: controller.signal, onProgress, renewal: { stop } };
}

function lostLease({ token }: HeldToken): EngineError {
  return new EngineError(
    `Cannot go on with "${token.task.task.label}" as this worker must still have it: it was cancelled, or another worker has taken it over`,
    { engine: "queue" },
  );
}

/** Separator between the name of a worker and its unique mark, in the names of files of workers. */
const FILE_MARK = "~";

/** Returns the name of a worker from the name of its file; undefined if the name has another form. */
export function workerOf(file: string): string | undefined {
  const [name = file] = file.split(FILE_MARK);
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

/** Shows regularly that this worker lives, and takes tasks over from dead workers. */
function watchOthers(
  folders: QueueFolders,
  { worker, ...patience }: ServeQueueOptions & QueuePatience,
  trouble: FolderTrouble,
) {
  // Two workers may have the same name.
  const file = join(
    folders.workers,
    `${encodeURIComponent(worker).replaceAll("~", "%7E")}${FILE_MARK}${randomUUID()}`,
  );
  const clock = async (): Promise<number> => {
    await writeWhole(folders, file, JSON.stringify({ name: worker }));
    return (await writtenAt(file)) ?? Date.now();
  };
  const watch = createLeaseWatch(patience.lease);
  const interval = Math.min(patience.lease / 3, 5000, Math.max(100, patience.pause / 2));
  const looking = repeat(interval, async () => {
    try {
      watch.look(await clock());
      await takeOver(folders, clock, { ...patience, watch, tell: trouble.tell });
    } catch (error) {
      trouble.tell(error);
    }
  });
  return {
    async stop() {
      await looking.stop();
      await removeIfThere(file).catch(() => {});
    },
  };
}
