import type { Command } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { openQueue, type TaskQueue } from "@isthmus/distributed";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { QUEUE_HELP } from "../options/queue-options.ts";
import { type CommonOptions, type Context, createVerb, type Outcome } from "../verb.ts";

/** The option of every verb on a queue. */
export type QueueVerbOptions = CommonOptions & {
  /** Address of the queue: of Redis or PostgreSQL, or a folder. */
  readonly queue: string;
};

/** Options of a verb on some tasks of a queue. */
export type TasksVerbOptions = QueueVerbOptions & {
  /** True if the verb acts on all tasks; absent if the user names tasks. */
  readonly all?: true | undefined;
};

/** Milliseconds between two reads of a queue. */
export const LOOK_MS = 1000;

/** Creates a verb below `isthmus queue`. */
export function createQueueVerb(name: string, summary: string): Command<[], QueueVerbOptions> {
  return createVerb(name, HELP_GROUPS.done)
    .summary(summary)
    .description(`${summary}.`)
    .requiredOption("--queue <address>", `the queue: ${QUEUE_HELP}`);
}

/** Creates a verb below `isthmus queue` that acts on some tasks, or on all. */
export function createTasksVerb(name: string, summary: string): Command<[string[]], TasksVerbOptions> {
  return createQueueVerb(name, summary)
    .argument("[tasks...]", "ids of tasks, as isthmus queue status shows them")
    .option("--all", "all tasks");
}

/** Opens the queue that options name, passes it to a function, and closes it. */
export async function withQueue(
  { queue: address }: QueueVerbOptions,
  { terminal }: Context,
  act: (queue: TaskQueue) => Promise<Outcome>,
): Promise<Outcome> {
  const queue = await openQueue(address, {
    mayMake: false,
    onTrouble: (sentence) => terminal.note(sentence),
  });
  try {
    return await act(queue);
  } finally {
    await queue.close();
  }
}

/**
 * Returns the ids of the tasks that a command names; undefined for all.
 * @throws UsageError if it names neither tasks nor all, or both
 */
export function chosenTasks(
  verb: string,
  ids: readonly string[],
  { all }: TasksVerbOptions,
): readonly string[] | undefined {
  if (ids.length > 0 && all === undefined) return ids;
  if (ids.length === 0 && all === true) return undefined;
  throw new UsageError(
    `Cannot ${verb} as it must be clear which tasks: name them by their ids, or all of them by --all`,
  );
}
