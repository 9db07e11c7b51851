import { UsageError } from "@isthmus/core";
import { QUEUE_STATES, type TaskQueue } from "@isthmus/distributed";
import { plural } from "../format/plural.ts";

/** Number of ids of tasks that a message shows. */
const SHOWN = 5;

/**
 * Checks that a queue has the tasks that a command names; undefined names all.
 * @throws UsageError if one is missing; the message lists the contents of the queue
 */
export async function assertQueued(
  verb: string,
  queue: TaskQueue,
  ids: readonly string[] | undefined,
): Promise<void> {
  if (ids === undefined) return;
  const entries = await queue.find(ids);
  const unknown = ids.filter((_id, index) => entries[index] === undefined);
  if (unknown.length === 0) return;
  throw new UsageError(
    `Cannot ${verb} ${plural(ids.length, "task", "tasks")} as ${queue.name} must hold what is named: it has no ${unknown.join(", ")}; ${await describeHeld(queue)}`,
  );
}

/** Says how many tasks a queue holds, with the ids of some. */
async function describeHeld(queue: TaskQueue): Promise<string> {
  const counts = await queue.count();
  const held = QUEUE_STATES.map((state) => `${counts[state]} ${state}`).join(", ");
  const ids: string[] = [];
  for (const state of ["failed", "running", "waiting"] as const) {
    for (const { id } of await queue.list(state, SHOWN - ids.length)) ids.push(id);
    if (ids.length >= SHOWN) break;
  }
  const shown = ids.length === 0 ? "" : `, such as ${ids.join(", ")}`;
  return `it holds ${held}${shown}; finished tasks are forgotten`;
}
