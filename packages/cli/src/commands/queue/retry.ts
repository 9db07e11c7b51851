import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { retryTasks, type TaskQueue } from "@isthmus/distributed";
import { plural } from "../../format/plural.ts";
import { assertQueued } from "../../queue/assert-queued.ts";
import { chosenTasks, createTasksVerb, withQueue } from "../../queue/queue-verb.ts";
import { formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

/** Creates the command `isthmus queue retry`. */
export function queueRetryVerb(run: RunVerb): CommandUnknownOpts {
  return createTasksVerb("retry", "Try failed tasks again")
    .addHelpText("after", EXAMPLES)
    .action((ids, options) =>
      run(options, (context) =>
        withQueue(options, context, (queue) => act(queue, chosenTasks("retry", ids, options))),
      ),
    );
}

const EXAMPLES = formatExamples([
  "isthmus queue retry --all --queue /shared/queue",
  "after the disk has room again",
]);

async function act(queue: TaskQueue, ids: readonly string[] | undefined): Promise<Outcome> {
  await assertQueued("retry", queue, ids);
  const retried = await retryTasks(queue, ids);
  return { result: { retried }, text: `${plural(retried, "task is", "tasks are")} tried again` };
}
