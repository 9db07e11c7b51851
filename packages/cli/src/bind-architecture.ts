import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { at, type Checkpoint, openCheckpoint } from "@isthmus/core";
import {
  type BoundNetwork,
  type BoundNetworks,
  bindNetworks,
  isUnchanged,
  UNREAD_POLICIES,
  type UnreadPolicy,
  verifyBinding,
  type WeightSource,
} from "@isthmus/graph";
import { type BatchSummary, freeArchitecture } from "./free-architecture.ts";
import type { Architecture } from "./open-architecture.ts";
import type { GraphOptions } from "./read-architecture.ts";
import type { Context } from "./verb.ts";

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

/** What `--json` says of how the weights of a graph were found. */
export interface BindingSummary {
  /** Weights that are tensors of their own name, as they are. */
  readonly byName: number;
  /** Sources of the other weights, by the names in the graph's file. */
  readonly renamed: Readonly<Record<string, WeightSource>>;
  /** Weights of the file that are in no checkpoint and stay as they are. */
  readonly constants: readonly string[];
  /** Text before the network's names, for each checkpoint. */
  readonly prefixes: readonly string[];
  /** Tensors of each checkpoint that are no part of the network. */
  readonly leftOut: readonly (readonly string[])[];
  /** Tensors of each checkpoint that the graph does not read and that are kept as they are. */
  readonly kept: readonly (readonly string[])[];
  /** How far the graph's file and the checkpoint it was exported from are apart, relative; null where there was nothing to compare. */
  readonly witnessError: number | null;
  /** What became of the batch that the graph was exported for; null where it takes any. */
  readonly batch: BatchSummary | null;
}

/** An architecture whose weights are the tensors of checkpoints. */
export interface BoundArchitecture extends Architecture {
  /** The checkpoints as networks of the graph, in the order they were given. */
  readonly networks: readonly BoundNetwork[];
  readonly binding: BindingSummary;
}

/**
 * Makes an architecture and checkpoints fit each other, proves it where the graph's file can be a witness, lets the graph take any batch
 * where it can, and notes on standard error what is not plain.
 *
 * @throws MismatchError if they do not fit, or the graph's file computes something else than the checkpoint it was exported from
 */
export async function bindArchitecture(
  architecture: Architecture,
  checkpoints: readonly Checkpoint[],
  { exportedFrom, unread, prefix }: BindingOptions,
  { signal, terminal }: Pick<Context, "signal" | "terminal">,
): Promise<BoundArchitecture> {
  const { graph, carried, engine } = architecture;
  const decoded = { graph, weights: carried };
  const source = exportedFrom === undefined ? undefined : await openCheckpoint(exportedFrom);
  try {
    const bound = await bindNetworks(decoded, checkpoints, { exportedFrom: source, unread, prefix });
    const witnessError = await verifyBinding(decoded, bound, engine, { seed: 0, signal });
    for (const line of describeBinding(bound, checkpoints)) terminal.note(line);
    const { network } = at(bound.networks, 0, "network");
    const freed = await freeArchitecture({ graph: bound.graph, engine }, network, { signal, terminal });
    return {
      ...architecture,
      graph: freed.graph,
      carried: new Map(),
      networks: bound.networks,
      binding: { ...summarizeBinding(bound, witnessError), batch: freed.batch },
    };
  } finally {
    await source?.close();
  }
}

function summarizeBinding(
  { binding, networks }: BoundNetworks,
  witnessError: number | undefined,
): Omit<BindingSummary, "batch"> {
  const changed = [...binding.sources].filter(([weight, source]) => !isUnchanged(weight, source));
  return {
    byName: binding.sources.size - changed.length,
    renamed: Object.fromEntries(changed),
    constants: binding.constants,
    prefixes: networks.map(({ names }) => names.prefix),
    leftOut: networks.map(({ leftOut }) => leftOut),
    kept: networks.map(({ kept }) => kept),
    witnessError: witnessError ?? null,
  };
}

/** Says in full sentences what is not plain about a binding; nothing where every weight is a tensor of its name. */
function describeBinding(
  { binding, networks }: Pick<BoundNetworks, "binding" | "networks">,
  checkpoints: readonly Pick<Checkpoint, "source">[],
): string[] {
  const changed = [...binding.sources].filter(([weight, source]) => !isUnchanged(weight, source));
  const folded = changed.filter(([, { kind }]) => kind === "folded-kernel").length;
  const lines: string[] = [];
  if (changed.length > 0) {
    const norms = folded === 0 ? "" : `; ${folded} had a batch norm folded in, which stands for itself again`;
    lines.push(
      `Weights: ${binding.sources.size - changed.length} by name, ${changed.length} by value${norms}.`,
    );
  }
  if (binding.constants.length > 0) {
    lines.push(
      `Taken from the graph's file as they are, as no tensor is left for them: ${list(binding.constants)}.`,
    );
  }
  for (const [i, { names, leftOut, kept }] of networks.entries()) {
    const source = `"${checkpoints[i]?.source}"`;
    if (names.prefix !== "")
      lines.push(`Names in ${source} begin with "${names.prefix}"; the names of the network follow it.`);
    if (leftOut.length > 0) lines.push(`No part of the network in ${source}, left out: ${list(leftOut)}.`);
    if (kept.length > 0) lines.push(`Not read by the graph, kept as they are in ${source}: ${list(kept)}.`);
  }
  return lines;
}

/** Names listed in a note. */
const SHOWN = 4;

function list(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
