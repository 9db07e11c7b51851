import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { Command } from "@commander-js/extra-typings";
import { formatExamples, type RunVerb } from "../verb.ts";
import { federateAggregateVerb } from "./federate/aggregate.ts";
import { federateJoinVerb } from "./federate/join.ts";
import { federateServeVerb } from "./federate/serve.ts";
import { federateSimulateVerb } from "./federate/simulate.ts";
import { federateTokenVerb } from "./federate/token.ts";

/** Creates the command `isthmus federate` with the verbs below it. */
export function federateVerb(run: RunVerb): CommandUnknownOpts {
  const command: CommandUnknownOpts = new Command("federate")
    .usage("<verb> [options]")
    .helpOption("-h, --help", "show this help; isthmus federate <verb> --help shows the help of a verb")
    .helpCommand(false)
    .commandsGroup("Verbs:")
    .addHelpText("after", EXAMPLES);
  const verbs = [
    federateServeVerb,
    federateTokenVerb,
    federateJoinVerb,
    federateAggregateVerb,
    federateSimulateVerb,
  ];
  for (const createVerb of verbs) command.addCommand(createVerb(run));
  return command;
}

const EXAMPLES = formatExamples(
  [
    "isthmus federate aggregate global.safetensors anna.safetensors bert.safetensors --examples 600,400 -o next.safetensors",
    "one round, by hand: average what two clients sent",
  ],
  ["isthmus federate simulate attacks", "six attacks on nine rules, simulated in this process"],
);
