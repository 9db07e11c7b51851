import { addRareOptions, HELP_GROUPS } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { parseNames } from "./parse-values.ts";

/** The option that says which outputs count as what a network computes. */
export type OutputsOptions = {
  readonly outputs?: readonly string[] | undefined;
};

/** Adds the option that says which outputs count as what a network computes. */
export const addOutputsOption: AddOptions<OutputsOptions> = optionGroup((command) => {
  addRareOptions(command.optionsGroup(HELP_GROUPS.alignment), (rare) =>
    rare.option(
      "--outputs <names>",
      "outputs of the graph that count as what it computes, for what may be permuted and for the proof; the order of the others is then free (default: all)",
      parseNames,
    ),
  );
});

/**
 * Lists the outputs that a proof speaks of, with words in front; an empty text if it speaks of all.
 * @param before - the words in front of the names, such as ` for `
 */
export function nameOutputs({ outputs }: OutputsOptions, before: string): string {
  return outputs === undefined ? "" : `${before}${outputs.join(", ")}`;
}
