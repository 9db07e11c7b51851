import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import type * as Workers from "@isthmus/workers";
import type { QueuePlaces, QueueTasks } from "@isthmus/workers";
import { engineNameOf } from "../open/open-engine.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import type { Context } from "../verb.ts";
import type { EngineOptions } from "./engine-option.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";

/** Options of a verb whose tasks may run on other machines. */
export type QueueOptions = {
  /** Address of the queue whose workers run the tasks. @defaultValue this process runs them */
  readonly queue?: string | undefined;
  /** Place where workers find and leave files; required by a queue, and refused without one. */
  readonly storage?: string | undefined;
};

/** Forms of the addresses of queues, for help. */
export const QUEUE_HELP =
  "redis://HOST:PORT, rediss://, postgres://USER@HOST/NAME, or a folder that all machines share";
/** Forms of the addresses of storages, for help. */
export const STORAGE_HELP = "a folder that all machines share, or s3://BUCKET/PREFIX";

/** Names of options that set the number of tasks at once in this process. */
const AT_ONCE = ["workers", "threads"];

/**
 * Adds `--queue` and `--storage`, for verbs whose tasks may run on other machines. With a queue, options that
 * set the number of tasks at once in this process are refused.
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

/**
 * Checks that the user leaves the number of tasks at once to the workers of a queue.
 * @throws UsageError if there is a queue, and the user sets that number
 */
function assertWorkersDecide(command: CommandUnknownOpts): void {
  const { queue } = command.opts() as QueueOptions;
  const name = AT_ONCE.find((option) => command.getOptionValueSource(option) === "cli");
  if (queue === undefined || name === undefined) return;
  throw new UsageError(
    `Cannot use --${name} with --queue as workers of the queue decide how many tasks run at once: leave out --${name}, and start more workers, or each with --concurrency`,
  );
}

/** Options of a verb that runs tasks. */
export interface TaskVerbOptions extends QueueOptions, EngineOptions {
  /** Threads of this process, if there is no queue. */
  readonly workers: number;
}

/**
 * Returns the queue and the storage that options name; undefined if they name no queue.
 * @throws UsageError if there is a storage without a queue, or a queue without a storage
 */
export function placesOf(
  { queue, storage }: QueueOptions,
  { terminal }: Pick<Context, "terminal">,
): QueuePlaces | undefined {
  if (queue === undefined) {
    if (storage === undefined) return undefined;
    throw new UsageError(
      "Cannot use --storage without --queue as it is where workers on other machines find files: add --queue",
    );
  }
  if (storage === undefined) {
    throw new UsageError(
      "Cannot let workers do the work as they must find its files: add --storage, a folder that all machines share or s3://BUCKET/PREFIX",
    );
  }
  return { queue, storage, onNote: (sentence) => terminal.note(sentence) };
}

/** Loads the package of workers and queues, without which other verbs start faster. */
export const loadWorkers = (): Promise<typeof Workers> => import("@isthmus/workers");

/** Says what a stopped verb has left, if its tasks may run elsewhere. */
export function tasksLeft({ queue }: QueueOptions, folder: string): string {
  const where = `the finished tasks are in "${folder}": the same command goes on`;
  if (queue === undefined) return where;
  return `workers go on with the tasks in the queue, which isthmus queue cancel --all stops; ${where}`;
}

/** Work of a verb, of which tasks are parts. */
export interface VerbWork {
  /** Name of the command, to say how to go on. */
  readonly verb: string;
  /** Path of a result, beside which the folder for tasks lies. */
  readonly beside: string;
  /** Services of the program: terminal, progress, signal. */
  readonly context: Context;
}

/**
 * Calls a function with the workers of a queue, or with undefined if the options name none, and says how to
 * go on if it is stopped.
 * @throws UsageError if there is a queue without a storage, or a storage without a queue
 */
export async function withWorkers<T>(
  options: QueueOptions & EngineOptions,
  { verb, beside, context }: VerbWork,
  work: (tasks: QueueTasks | undefined) => Promise<T>,
): Promise<T> {
  const places = placesOf(options, context);
  if (places === undefined) return work(undefined);
  const { signal, progress } = context;
  const { tasksFolderOf, withQueue } = await loadWorkers();
  const left = () => tasksLeft(options, tasksFolderOf(beside));
  const stopTelling = context.keepTelling();
  try {
    return await sayHowToGoOn({ verb, left }, context, () =>
      withQueue({ ...places, engine: engineNameOf(options), beside, onStep: progress, signal }, work),
    );
  } finally {
    stopTelling();
  }
}
