import { addRareOptions, HELP_GROUPS } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { parseNames } from "./parse-values.ts";

/** Option that names the outputs that networks are compared by. */
export type OutputsOptions = {
  /**
   * Names of the graph's outputs by which networks count as equal; the order of the other outputs is free.
   * @defaultValue all outputs
   */
  readonly outputs?: readonly string[] | undefined;
};

/** Adds the option that names the outputs that networks are compared by. */
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
 * Lists the outputs that a proof covers, with words in front; an empty text if it covers all.
 * @param before - the words in front of the names, such as ` for `
 */
export function nameOutputs({ outputs }: OutputsOptions, before: string): string {
  return outputs === undefined ? "" : `${before}${outputs.join(", ")}`;
}
