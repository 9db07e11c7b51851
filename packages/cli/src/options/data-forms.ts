import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CUE_FORM, DATA_SET_FORMS } from "@isthmus/data";

/**
 * Says, for the help of a verb, which names of data sets there are and what may follow them.
 * @param splits - the splits in words, the one that a name without a split means first
 */
export function dataForms(splits = ":test (if not said), :train or :val"): string {
  return `${DATA_SET_FORMS.join(", ")}; then ${splits}, then @N for the first N; settings such as ,64x64, to which pictures are resized, stand behind the path; images also take ${CUE_FORM}, which plants a cue, such as mnist:train@5000+cue=place`;
}

/** Adds the option that names the examples of a verb, unless it has one that names them otherwise. */
export function addDataOption(command: CommandUnknownOpts, help: string): void {
  if (!command.options.some(({ long }) => long === "--data")) command.requiredOption("--data <name>", help);
}
