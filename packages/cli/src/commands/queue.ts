import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatExamples, type RunVerb } from "../verb.ts";
import { queueCancelVerb } from "./queue/cancel.ts";
import { queueDrainVerb } from "./queue/drain.ts";
import { queueRetryVerb } from "./queue/retry.ts";
import { queueStatusVerb } from "./queue/status.ts";
import { queueWatchVerb } from "./queue/watch.ts";

/** Creates the command `isthmus queue` with the verbs below it. */
export function queueVerb(run: RunVerb): CommandUnknownOpts {
  const command: CommandUnknownOpts = new Command("queue")
    .usage("<verb> [options]")
    .helpOption("-h, --help", "show this help; isthmus queue <verb> --help shows the help of a verb")
    .helpCommand(false)
    .commandsGroup("Verbs:")
    .addHelpText("after", EXAMPLES);
  const verbs = [queueStatusVerb, queueWatchVerb, queueCancelVerb, queueRetryVerb, queueDrainVerb];
  for (const createVerb of verbs) command.addCommand(createVerb(run));
  return command;
}

const EXAMPLES = formatExamples(
  ["isthmus queue status --queue redis://queue.example:6379", "what waits, runs and has failed"],
  ["isthmus queue watch --queue /shared/queue", "follow it"],
  ["isthmus queue retry --all --queue /shared/queue", "after the disk has room again"],
  ["isthmus queue cancel --all --queue /shared/queue", "give everything up"],
);
