import { setTimeout } from "node:timers/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { cancelTasks, type TaskQueue } from "@isthmus/distributed";
import { plural } from "../../format/plural.ts";
import { createQueueVerb, LOOK_MS, withQueue } from "../../queue/queue-verb.ts";
import { type Context, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

/** Creates the command `isthmus queue drain`. */
export function queueDrainVerb(run: RunVerb): CommandUnknownOpts {
  return createQueueVerb("drain", "Take all waiting tasks out, and wait for those that run")
    .addHelpText("after", EXAMPLES)
    .action((options) =>
      run(options, (context) => withQueue(options, context, (queue) => act(queue, context))),
    );
}

const EXAMPLES = formatExamples([
  "isthmus queue drain --queue /shared/queue",
  "before the machines are switched off",
]);

async function act(queue: TaskQueue, { signal, progress }: Context): Promise<Outcome> {
  const cancelled = await cancelTasks(queue, undefined, ["waiting"]);
  for (let { running } = await queue.count(); running > 0; { running } = await queue.count()) {
    progress(`${running} tasks still run`);
    await setTimeout(LOOK_MS, undefined, { signal });
  }
  return {
    result: { cancelled },
    text: `${plural(cancelled, "waiting task was", "waiting tasks were")} taken out, and none runs any more; a command that still waits for them adds them again: stop it first`,
  };
}
