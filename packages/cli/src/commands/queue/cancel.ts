import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { cancelTasks, type TaskQueue } from "@isthmus/distributed";
import { plural } from "../../format/plural.ts";
import { assertQueued } from "../../queue/assert-queued.ts";
import { chosenTasks, createTasksVerb, withQueue } from "../../queue/queue-verb.ts";
import { formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

/** Creates the command `isthmus queue cancel`. */
export function queueCancelVerb(run: RunVerb): CommandUnknownOpts {
  return createTasksVerb("cancel", "Take tasks out of the queue; those that run are stopped")
    .addHelpText("after", EXAMPLES)
    .action((ids, options) =>
      run(options, (context) =>
        withQueue(options, context, (queue) => act(queue, chosenTasks("cancel", ids, options))),
      ),
    );
}

const EXAMPLES = formatExamples(
  ["isthmus queue cancel --all --queue /shared/queue", "give everything up, once no command waits for it"],
  ["isthmus queue cancel 925d26a43905c5751a0252b3-4f1c2a9d --queue /shared/queue", "one task"],
);

async function act(queue: TaskQueue, ids: readonly string[] | undefined): Promise<Outcome> {
  await assertQueued("cancel", queue, ids);
  const cancelled = await cancelTasks(queue, ids);
  const text = `${plural(cancelled, "task was", "tasks were")} cancelled; a command that still waits for them adds them again: stop it first`;
  return { result: { cancelled }, text };
}
