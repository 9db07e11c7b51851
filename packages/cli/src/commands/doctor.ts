import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type DeviceTrial, describeMachine, type MachineDescription } from "@isthmus/engine";
import { formatBytes, formatPairs } from "../format/format-table.ts";
import { createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus doctor`. */
export function doctorVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("doctor")
    .addHelpText("after", EXAMPLES)
    .addHelpText("after", NOTES)
    .action((options) => run(options, ({ progress }) => examine(progress)));
}

const EXAMPLES = formatExamples(
  ["isthmus doctor", "what works here, and what is missing for what does not"],
  ["isthmus doctor --json", "the same for a program"],
);

const NOTES = `
Each device computes a small graph in a process of its own, so that a driver that breaks breaks nothing else.
The names of devices that work can be given to --device.
`;

async function examine(progress: (step: string) => void): Promise<Outcome> {
  progress("Trying devices");
  const machine = await describeMachine();
  return { result: machine, text: formatMachine(machine) };
}

function formatMachine(machine: MachineDescription): string {
  const { node, system, engine, works, threads, memory, freeMemory, devices } = machine;
  return formatPairs([
    ["Node.js", `${node}, ${system}`],
    ["engine", engine],
    ["threads", String(threads)],
    ["memory", `${formatBytes(memory)}, of which ${formatBytes(freeMemory)} are free`],
    ["cpu", works ? "works" : "does not work: there is no engine"],
    ...devices.map((trial): [string, string] => [trial.device, formatTrial(trial)]),
  ]);
}

function formatTrial({ works, missing = "a driver", broughtBy }: DeviceTrial): string {
  if (works) return "works";
  return `needs ${missing}${broughtBy === undefined ? "" : `; get it: ${broughtBy}`}`;
}
