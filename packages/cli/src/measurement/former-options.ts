import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { Option } from "commander";

/** Former options of a command, as the parser of command lines has them. */
export interface FormerFlags {
  /** File for the JSON of the result; absent if none is named. */
  readonly output?: string;
  /** True if an interrupted measurement is to go on from the journal beside the output. */
  readonly resume?: true;
}

/** Kinds whose command kept a journal beside `-o`, from which `--resume` went on. */
const KEPT_BESIDE = ["layers"];

/** Kinds whose command prints, with `--json`, which files it wrote. */
const SAY_OUTPUTS = ["map"];

/** Checks whether `--json` of a kind lists the files that its command wrote beside the result. */
export const saysOutputs = (kind: string): boolean => SAY_OUTPUTS.includes(kind);

/** Adds options that old command lines name; help does not show them. */
export function addFormerOptions(command: CommandUnknownOpts, kind: string): void {
  if (KEPT_BESIDE.includes(kind)) command.addOption(new Option("--resume").hideHelp());
}

/**
 * Returns the journal that `--resume` alone stands for: the file beside the output, as commands once kept it.
 */
export function formerJournal({ output, resume }: FormerFlags): string | undefined {
  return resume === undefined ? undefined : output?.replace(/\.json$/, ".state.json");
}
