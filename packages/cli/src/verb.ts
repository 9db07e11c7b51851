import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Provenance } from "@isthmus/findings";
import type { DeviceName } from "@isthmus/graph";
import { HELP_GROUPS, type HelpHeading } from "./options/help-groups.ts";
import { optionGroup } from "./options/option-group.ts";
import type { RepeatedProgress } from "./terminal/progress.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** Options that every verb has. */
export type CommonOptions = {
  /** Whether one JSON object is printed instead of text. */
  readonly json?: true;
  /** Whether progress is hidden. */
  readonly quiet?: true;
  /** Whether models of the Hugging Face hub are fetched; only verbs that open models have it. */
  readonly download?: true | undefined;
  /** Whether the verb reads headers of checkpoints alone, so that models need not be fetched whole. */
  readonly headersOnly?: boolean | undefined;
};

/** Version of the program that makes a network, and its device if that is not the processor. */
export interface Maker {
  /** Version of the program. */
  readonly version: string;
  /** Name of the device; missing for the processor, whose bits are promised. */
  readonly device?: DeviceName;
}

/** Services of the program for a verb. */
export interface Context extends RepeatedProgress {
  /** Terminal that the verb writes to. */
  readonly terminal: Terminal;
  /** Signal that is aborted when the user asks to stop. */
  readonly signal: AbortSignal;
  /** Command line in a form that the user could type again. */
  readonly commandLine: string;
  /** Version of this program. */
  readonly version: string;
  /** Maker of the networks that the command writes, as their metadata name it once they are computed. */
  readonly maker: Maker;
  /** Files of measurements that the command line names by `--use`. */
  readonly use: readonly string[];
  /** The command that made a result, to be saved with it. */
  readonly provenance: Provenance;
}

/** The outcome of a verb. */
export interface Outcome {
  /** The one object that `--json` prints. */
  readonly result: object;
  /** The text that is printed without `--json`, without a final line end. */
  readonly text: string;
  /** Reason why the command fails although the work is done: a gate that was exceeded. */
  readonly failure?: string | undefined;
  /** Exit code if there is a `failure`; 1 if it is missing. */
  readonly exitCode?: 1 | 2;
}

/** Runs the work of a verb and prints its outcome; given to every verb by the program. */
export type RunVerb = (options: CommonOptions, work: (context: Context) => Promise<Outcome>) => Promise<void>;

/**
 * Creates the command of one verb. Each verb is in a module of its own, which is loaded when the verb is
 * used.
 */
export type CreateVerb = (run: RunVerb) => CommandUnknownOpts;

/**
 * Creates the command of a verb with the options that all verbs have.
 *
 * @param heading - the heading of the options that the verb adds next
 */
export function createVerb(
  name: string,
  heading: HelpHeading = HELP_GROUPS.measured,
): Command<[], CommonOptions> {
  return addCommonOptions(new Command(name).allowExcessArguments(false))
    .helpOption("-h, --help", "show this help")
    .optionsGroup(heading);
}

const addCommonOptions = optionGroup<CommonOptions>((command) => {
  command
    .option("--json", "print one JSON object on standard output and nothing else there")
    .option("-q, --quiet", "show no progress");
});

/** Formats example command lines, to be shown after the help of a verb; an empty text if there are none. */
export function formatExamples(
  ...examples: readonly (readonly [command: string, purpose: string])[]
): string {
  if (examples.length === 0) return "";
  return `\nExamples:\n${examples.map(([command, purpose]) => `  # ${purpose}\n  ${command}`).join("\n")}\n`;
}
