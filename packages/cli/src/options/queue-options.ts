import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { createFolder, InputError, UsageError } from "@isthmus/core";
import type { QueueExecutor, StorageOptions, TaskQueue, TaskStorage } from "@isthmus/distributed";
import { createThreadExecutor, type TaskExecutor } from "@isthmus/tasks";
import type { Context } from "../verb.ts";
import type { WorkerData } from "../work/worker-ports.ts";
import { createEngine, type EngineOptions } from "./engine-option.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";

/** The options of a verb whose tasks may run on other machines. */
export type QueueOptions = {
  readonly queue?: string | undefined;
  readonly storage?: string | undefined;
};

/** What addresses of queues may be, for help. */
export const QUEUE_HELP =
  "redis://HOST:PORT, rediss://, postgres://USER@HOST/NAME, or a folder that all machines share";
/** What addresses of storages may be, for help. */
export const STORAGE_HELP = "a folder that all machines share, or s3://BUCKET/PREFIX";

/** Options of verbs that say how many tasks run at once in this process. */
const AT_ONCE = ["workers", "threads"];

/**
 * Adds `--queue` and `--storage`, for verbs whose tasks may run on other machines. With a queue, options that
 * say how many tasks run at once here are refused.
 */
export const addQueueOptions: AddOptions<QueueOptions, [of?: string]> = optionGroup((command, of = "") => {
  command
    .option(
      "--queue <address>",
      `${of}let workers do the work, on any machine (see isthmus worker): ${QUEUE_HELP}`,
    )
    .option(
      "--storage <place>",
      `${of}where workers find and leave files, with --queue: ${STORAGE_HELP}; a folder must hold the results, too, and files that tasks read; to s3:// they are sent`,
    )
    .hook("preAction", assertWorkersDecide);
});

/** @throws UsageError if there is a queue, and the user says how many tasks run at once */
function assertWorkersDecide(command: CommandUnknownOpts): void {
  const { queue } = command.opts() as QueueOptions;
  const name = AT_ONCE.find((option) => command.getOptionValueSource(option) === "cli");
  if (queue === undefined || name === undefined) return;
  throw new UsageError(
    `Cannot use --${name} with --queue as workers of the queue decide how many tasks run at once: leave out --${name}, and start more workers, or each with --concurrency`,
  );
}

/** An executor of tasks, wherever they run. */
export interface OpenedExecutor extends TaskExecutor {
  close(): Promise<void>;
}

/** Options of a verb that runs tasks. */
export interface TaskVerbOptions extends QueueOptions, EngineOptions {
  /** Threads of this process, if there is no queue. */
  readonly workers: number;
}

/**
 * Opens what runs the tasks of a verb: threads of this process, or the workers of a queue.
 * @param script - module of the threads
 * @param folder - where results of tasks are stored
 */
export async function openExecutor(
  options: TaskVerbOptions,
  { script, folder, context }: { readonly script: URL; readonly folder: string; readonly context: Context },
): Promise<OpenedExecutor> {
  assertQueue(options);
  if (options.queue === undefined) {
    const use = context.use.map((file) => resolve(file));
    const workerData: WorkerData = { engine: options.engine, use };
    return createThreadExecutor(script, { capacity: options.workers, workerData });
  }
  return openQueueExecutor(options, { folder, context });
}

/** @throws UsageError if there is a storage and no queue */
export function assertQueue({ queue, storage }: QueueOptions): void {
  if (queue !== undefined || storage === undefined) return;
  throw new UsageError(
    "Cannot use --storage without --queue as it is where workers on other machines find files: add --queue",
  );
}

/**
 * Opens an executor whose tasks run on the workers of a queue.
 * @param folder - where results of tasks are stored; made if it is missing
 */
export async function openQueueExecutor(
  options: QueueOptions & EngineOptions,
  { folder, context }: { readonly folder: string; readonly context: Context },
): Promise<QueueExecutor> {
  const { queue, storage } = await openQueueAndStorage(options, context);
  const close = async (): Promise<void> => {
    await queue.close();
    await storage.close();
  };
  try {
    const { createQueueExecutor } = await loadDistributed();
    await createFolder(folder);
    const executor = await createQueueExecutor({
      ...{ queue, storage, store: await storage.placeOf(folder) },
      directory: await storage.placeOf(process.cwd()).catch(() => ""),
      engine: (await createEngine(options.engine)).name,
      onNote: (sentence) => context.terminal.note(sentence),
    });
    const stopTelling = context.keepTelling();
    return {
      ...executor,
      async close() {
        stopTelling();
        await executor.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Loads what queues and storages are made of, which verbs without a queue start faster without. */
const loadDistributed = () => import("@isthmus/distributed");

/**
 * Opens the queue and the storage that options name, which must be both.
 * @param copies - most bytes of copies of files, of a worker with a storage in S3
 */
export async function openQueueAndStorage(
  { queue: address, storage: place }: QueueOptions,
  { terminal }: Pick<Context, "terminal">,
  copies: Pick<StorageOptions, "cacheBytes"> = {},
): Promise<{ readonly queue: TaskQueue; readonly storage: TaskStorage }> {
  if (address === undefined || place === undefined) {
    throw new UsageError(
      "Cannot let workers do the work as they must find its files: add --storage, a folder that all machines share or s3://BUCKET/PREFIX",
    );
  }
  await assertStorage(place);
  const { openQueue, openStorage } = await loadDistributed();
  const storage = await openStorage(place, copies);
  try {
    const queue = await openQueue(address, { onTrouble: (sentence) => terminal.note(sentence) });
    return { queue, storage };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Returns whether an address of a storage is one of S3. */
export const isS3 = (place: string): boolean => /^s3:/i.test(place);

/**
 * Checks that a folder for files is there: one that is not mounted must not be made by mistake.
 * @throws InputError if it is not
 */
async function assertStorage(place: string): Promise<void> {
  if (isS3(place) || (await stat(place).catch(() => undefined))?.isDirectory()) return;
  throw new InputError(
    `Cannot use "${place}" as the storage as it must be a folder that all machines share: there is none; make it, or mount it`,
    { input: place },
  );
}

/** Says what a verb has left if it is stopped while its tasks may run elsewhere. */
export function tasksLeft({ queue }: QueueOptions, folder: string): string {
  const where = `the finished tasks are in "${folder}": the same command goes on`;
  if (queue === undefined) return where;
  return `workers go on with the tasks in the queue, which isthmus queue cancel --all stops; ${where}`;
}
