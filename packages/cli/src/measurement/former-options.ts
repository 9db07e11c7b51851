import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { Option } from "commander";

/** Options that a command had before, as the parser of command lines has them. */
export interface FormerFlags {
  readonly output?: string;
  readonly resume?: true;
}

/** Kinds whose command kept a journal beside `-o`, from which `--resume` went on. */
const KEPT_BESIDE = ["layers"];

/** Kinds whose command prints, with `--json`, which files it wrote. */
const SAY_OUTPUTS = ["map"];

/** Returns whether `--json` has had the list of the files that a command wrote beside its result. */
export const saysOutputs = (kind: string): boolean => SAY_OUTPUTS.includes(kind);

/** Adds options that old command lines name; help does not show them. */
export function addFormerOptions(command: CommandUnknownOpts, kind: string): void {
  if (KEPT_BESIDE.includes(kind)) command.addOption(new Option("--resume").hideHelp());
}

/** Returns the journal that `--resume` stands for: the one beside the output, as commands once kept it. */
export function formerJournal({ output, resume }: FormerFlags): string | undefined {
  return resume === undefined ? undefined : output?.replace(/\.json$/, ".state.json");
}
