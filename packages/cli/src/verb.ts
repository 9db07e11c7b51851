import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Provenance } from "@isthmus/report";
import type { Progress } from "./terminal/progress.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** Options that every verb has; an alias, as commander wants types with an implicit index signature. */
export type CommonOptions = {
  /** Print one JSON object instead of text. */
  readonly json?: true;
  /** Show no progress. */
  readonly quiet?: true;
};

/** What a verb works with. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborted when the user asks to stop. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** The command line as the user could type it again. */
  readonly commandLine: string;
  /** Version of this program. */
  readonly version: string;
  /** What results that are kept say of the command that made them. */
  readonly provenance: Provenance;
}

/** What a verb has done. */
export interface Outcome {
  /** The one object that `--json` prints. */
  readonly result: object;
  /** What is printed otherwise, without a final line end. */
  readonly text: string;
  /** Why the command fails although the work is done: a gate that was exceeded. */
  readonly failure?: string | undefined;
  /** Exit code if there is a `failure`; 1 if it is missing. */
  readonly exitCode?: 1 | 2;
}

/** Runs the work of a verb and prints its outcome; given to every verb by the program. */
export type RunVerb = (options: CommonOptions, work: (context: Context) => Promise<Outcome>) => Promise<void>;

/** Makes the command of one verb; each is in a module of its own that is loaded when it is used. */
export type CreateVerb = (run: RunVerb) => CommandUnknownOpts;

/** Starts the command of a verb with the options that all of them have. */
export function createVerb(name: string): Command<[], CommonOptions> {
  return new Command(name)
    .allowExcessArguments(false)
    .option("--json", "print one JSON object on standard output and nothing else there")
    .option("-q, --quiet", "show no progress")
    .helpOption("-h, --help", "show this help") as Command<[], CommonOptions>;
}

/** Shows example command lines after the help of a verb. */
export function formatExamples(
  ...examples: readonly (readonly [command: string, purpose: string])[]
): string {
  return `\nExamples:\n${examples.map(([command, purpose]) => `  # ${purpose}\n  ${command}`).join("\n")}\n`;
}
