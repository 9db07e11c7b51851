import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CUE_FORM, DATA_SET_FORMS } from "@isthmus/data";

/**
 * Lists the forms of names of data sets for the help of a verb, and what may follow them.
 * @param splits - the splits in words, first the one of names without a split
 */
export function dataForms(splits = ":test (if not said), :train or :val"): string {
  return `${DATA_SET_FORMS.join(", ")}; then ${splits}, then @N for the first N; settings such as ,64x64, to which pictures are resized, stand behind the path; images also take ${CUE_FORM}, which plants a cue, such as mnist:train@5000+cue=place`;
}

/** Adds the option that names the examples of a verb, unless the verb has its own option for them. */
export function addDataOption(command: CommandUnknownOpts, help: string): void {
  if (!command.options.some(({ long }) => long === "--data")) command.requiredOption("--data <name>", help);
}
