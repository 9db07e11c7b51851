import { Option } from "@commander-js/extra-typings";
import { LOSS_FIELD, type NamedLoss, UNREAD_POLICIES, type UnreadPolicy } from "@isthmus/graph";
import type { GraphOptions } from "@isthmus/zoo";
import { addFieldOptions } from "../measurement/field-options.ts";
import { addRareOptions, HELP_GROUPS } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { collect } from "./parse-values.ts";

/** Options for reading a graph, and for finding its weights in checkpoints. */
export type BindingOptions = GraphOptions & {
  /** Loss to measure by. @defaultValue the loss that the graph shows */
  readonly loss?: NamedLoss | undefined;
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
