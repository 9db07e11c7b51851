import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import {
  type BoundArchitecture,
  bindArchitecture as bind,
  UNREAD_POLICIES,
  type UnreadPolicy,
} from "@isthmus/graph";
import type { GraphOptions, OpenedArchitecture } from "@isthmus/zoo";
import type { Context } from "../verb.ts";

/** How a graph is read, and its weights are found in checkpoints; an alias, as commander wants it. */
export type BindingOptions = GraphOptions & {
  readonly exportedFrom?: string | undefined;
  readonly unread?: UnreadPolicy | undefined;
  readonly prefix?: string | undefined;
};

/** Adds the options of how a graph is read and its weights are found in checkpoints, for every verb that takes both. */
export function addBindingOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
): Command<A, O & BindingOptions> {
  (command as CommandUnknownOpts)
    .option(
      "--exported-from <checkpoint>",
      "what --graph was exported from, where it is none of the networks: tells which weight is which",
    )
    .addOption(
      new Option(
        "--unread <policy>",
        "floating-point tensors that the graph does not read: refuse the checkpoint, or keep them as they are (default: refuse)",
      ).choices(UNREAD_POLICIES),
    )
    .option(
      "--prefix <text>",
      "what stands before the network's names in the checkpoints, such as module. (default: found out)",
    )
    .option(
      "--input <name>",
      "a data input of --graph, where its types do not tell data from weights; may be repeated",
      collect,
    )
    .option(
      "--logits <name>",
      "the output of the graph that is scored (default: the first that can be logits)",
    );
  return command as unknown as Command<A, O & BindingOptions>;
}

const collect = (name: string, before: readonly string[] | undefined) => [...(before ?? []), name];

/**
 * Binds checkpoints to an architecture as the options say, and notes on standard error what is not plain.
 * @throws MismatchError if they do not fit, or the graph's file computes something else than the checkpoint it was exported from
 */
export async function bindArchitecture(
  architecture: OpenedArchitecture,
  checkpoints: readonly Checkpoint[],
  { exportedFrom, unread, prefix }: BindingOptions,
  { signal, terminal }: Pick<Context, "signal" | "terminal">,
): Promise<OpenedArchitecture & BoundArchitecture> {
  const source = exportedFrom === undefined ? undefined : await openCheckpoint(exportedFrom);
  try {
    const bound = await bind(architecture, checkpoints, { exportedFrom: source, unread, prefix, signal });
    for (const line of bound.remarks) terminal.note(line);
    return bound;
  } finally {
    await source?.close();
  }
}
