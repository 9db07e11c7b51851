import { at, type Checkpoint } from "@isthmus/core";
import { type BoundArchitecture, type DataSet, withNamesOf } from "@isthmus/graph";
import { describeRenamed, withLayoutNamesOf } from "@isthmus/merging";
import { openBound } from "@isthmus/zoo";
import { readingOf } from "../open/reading-of.ts";
import type { Context } from "../verb.ts";
import { type MergeOptions, needsArchitecture, tooFew } from "./merge-options.ts";

/** The networks to merge, whose tensors have the same names. */
export interface OpenedNetworks {
  /** Architecture of the networks; undefined if nothing needs it. */
  readonly architecture: BoundArchitecture | undefined;
  /** Networks in the order of the command line, whose tensors have the same names. */
  readonly networks: readonly Checkpoint[];
  /** Examples for matching and statistics; undefined if none are named, or no graph is run. */
  readonly data: DataSet | undefined;
  /** Renames the tensors of the merged network to the names in the file of the first checkpoint. */
  readonly restore: (merged: Checkpoint) => Checkpoint;
}

/**
 * Binds the checkpoints to their architecture if `--align` or `--graph` asks for one; otherwise finds only
 * the prefixes of their names, and other names of diffusion models.
 */
export async function openNetworks(
  checkpoints: readonly Checkpoint[],
  paths: readonly string[],
  options: MergeOptions,
  context: Context,
): Promise<OpenedNetworks> {
  if (!needsArchitecture(options)) {
    const [first, ...others] = checkpoints;
    if (first === undefined) throw tooFew(paths);
    const networks = [first, ...others.map((other) => namedLike(first, other, context))];
    return { architecture: undefined, networks, data: undefined, restore: (merged) => merged };
  }
  const reading = await readingOf(options, context);
  const { architecture, examples } = await openBound(paths, checkpoints, { data: options.data }, reading);
  const networks = architecture.networks.map(({ network }) => network);
  const { restore } = at(architecture.networks, 0, "network");
  return { architecture, networks, data: examples.get("data"), restore };
}

/** Gives a network the names of another one, and notes names that programs write in two ways. */
function namedLike(first: Checkpoint, other: Checkpoint, { terminal }: Context): Checkpoint {
  const named = withLayoutNamesOf(first, other);
  const note = describeRenamed(named);
  if (note !== undefined) terminal.note(`${note}.`);
  return withNamesOf(first, named.network);
}
