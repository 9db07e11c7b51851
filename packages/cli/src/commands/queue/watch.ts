import { setTimeout } from "node:timers/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { describeQueue, type TaskQueue } from "@isthmus/distributed";
import { formatQueue } from "../../queue/format-queue.ts";
import { createQueueVerb, LOOK_MS, withQueue } from "../../queue/queue-verb.ts";
import { type Context, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

/** Creates the command `isthmus queue watch`. */
export function queueWatchVerb(run: RunVerb): CommandUnknownOpts {
  return createQueueVerb("watch", "Show the status again and again, until nothing waits or runs")
    .addHelpText("after", EXAMPLES)
    .action((options) =>
      run(options, (context) => withQueue(options, context, (queue) => act(queue, context))),
    );
}

const EXAMPLES = formatExamples(["isthmus queue watch --queue /shared/queue", "follow it to the end"]);

async function act(queue: TaskQueue, { terminal, signal, progress }: Context): Promise<Outcome> {
  for (;;) {
    const description = await describeQueue(queue);
    const { waiting, running, failed } = description.counts;
    const [first] = description.running;
    const label = first === undefined ? "" : `: ${first.label} on ${first.worker ?? "a worker"}`;
    const line = `${waiting} waiting, ${running} running, ${failed} failed${label}`;
    if (waiting + running === 0) return { result: description, text: formatQueue(description) };
    if (terminal.interactive) progress(line);
    else terminal.note(line);
    await setTimeout(LOOK_MS, undefined, { signal });
  }
}
