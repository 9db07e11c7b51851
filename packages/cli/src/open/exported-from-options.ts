import { type AddOptions, optionGroup } from "../options/option-group.ts";

/** Options that name the checkpoint that each graph was exported from. */
export type ExportedFromOptions = {
  readonly exportedFromA?: string | undefined;
  readonly exportedFromB?: string | undefined;
};

/** Adds the options that name the checkpoint that each graph was exported from. */
export const addExportedFromOptions: AddOptions<ExportedFromOptions> = optionGroup((command) => {
  command
    .option(
      "--exported-from-a <checkpoint>",
      "the checkpoint that the graph of A was exported from, if it is not A; it shows which weight is which",
    )
    .option("--exported-from-b <checkpoint>", "the checkpoint that the graph of B was exported from");
});
