import { Option } from "@commander-js/extra-typings";
import type { Checkpoint } from "@isthmus/core";
import {
  type BoundArchitecture,
  bindArchitecture as bind,
  LOSS_FIELD,
  UNREAD_POLICIES,
  type UnreadPolicy,
} from "@isthmus/graph";
import type { OpenedArchitecture } from "@isthmus/zoo";
import { addFieldOptions } from "../measurement/field-options.ts";
import { addRareOptions, HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { collect } from "../options/parse-values.ts";
import type { Context } from "../verb.ts";
import type { ArchitectureReading } from "./open-architecture.ts";

/** Options for reading a graph, and for finding its weights in checkpoints. */
export type BindingOptions = ArchitectureReading & {
  /** Path of the checkpoint that the graph was exported from. @defaultValue one of the networks */
  readonly exportedFrom?: string | undefined;
  /** Policy for floating-point tensors that the graph does not read. @defaultValue "refuse" */
  readonly unread?: UnreadPolicy | undefined;
  /** Text before the names of weights in the checkpoints. @defaultValue found automatically */
  readonly prefix?: string | undefined;
};

/** Adds the options for reading a graph, and for finding its weights in checkpoints. */
export const addBindingOptions: AddOptions<BindingOptions> = optionGroup((command) => {
  addFieldOptions(command.optionsGroup(HELP_GROUPS.measured), { loss: LOSS_FIELD });
  command
    .optionsGroup(HELP_GROUPS.reading)
    .option(
      "--exported-from <checkpoint>",
      "the checkpoint that --graph was exported from, if it is none of the networks; it shows which weight is which",
    );
  addRareOptions(command, (rare) =>
    rare
      .addOption(
        new Option(
          "--unread <policy>",
          "what to do about floating-point tensors that neither the graph reads nor the network uses: refuse the checkpoint, or keep them as they are (default: refuse)",
        ).choices(UNREAD_POLICIES),
      )
      .option(
        "--prefix <text>",
        "text before the names of weights in the checkpoints, such as module. (default: found automatically)",
      )
      .option(
        "--input <name>",
        "a data input of --graph, if types alone do not distinguish data from weights; may be repeated",
        collect,
      )
      .option(
        "--logits <name>",
        "the output or inner value of the graph that is scored (default: the output computed last, without its softmax)",
      ),
  );
});

/**
 * Binds checkpoints to an architecture as the options say, and notes surprising parts on standard error.
 * @throws MismatchError if they do not fit, or the graph's file does not compute what the checkpoint that
 *   it was exported from computes
 */
export async function bindArchitecture(
  architecture: OpenedArchitecture,
  checkpoints: readonly Checkpoint[],
  { exportedFrom, unread, prefix }: BindingOptions,
  { signal, terminal }: Pick<Context, "signal" | "terminal">,
): Promise<OpenedArchitecture & BoundArchitecture> {
  return bind(architecture, checkpoints, { exportedFrom, unread, prefix, signal, onNote: terminal.note });
}
