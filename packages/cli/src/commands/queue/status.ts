import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { describeQueue, type TaskQueue } from "@isthmus/distributed";
import { formatQueue } from "../../queue/format-queue.ts";
import { createQueueVerb, withQueue } from "../../queue/queue-verb.ts";
import { formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

/** Creates the command `isthmus queue status`. */
export function queueStatusVerb(run: RunVerb): CommandUnknownOpts {
  return createQueueVerb("status", "Show what waits, what runs where, and what has failed")
    .addHelpText("after", EXAMPLES)
    .action((options) => run(options, (context) => withQueue(options, context, act)));
}

const EXAMPLES = formatExamples(
  ["isthmus queue status --queue redis://queue.example:6379", "what waits, runs and has failed"],
  ["isthmus queue status --queue /shared/queue --json", "for a script"],
);

async function act(queue: TaskQueue): Promise<Outcome> {
  const description = await describeQueue(queue);
  return { result: description, text: formatQueue(description) };
}
