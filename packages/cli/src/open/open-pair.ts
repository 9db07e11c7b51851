import { at, type Checkpoint, readJsonFile } from "@isthmus/core";
import type { BoundArchitecture, BoundNetwork, DataSet } from "@isthmus/graph";
import type { StatisticsChoice } from "@isthmus/statistics";
import { decodeAlignment, discoverSymmetries, permute } from "@isthmus/symmetry";
import { type AlignedNetwork, align } from "@isthmus/weight-matching";
import { assertArchitecture, dataContext, fitToData, type OpenedArchitecture } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { matchingOf, openMatchData } from "../options/match-options.ts";
import { type PairOptions, policyOf } from "../options/pair-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context } from "../verb.ts";
import { bindArchitecture } from "./bind-architecture.ts";
import { openSharedArchitecture } from "./open-architecture.ts";
import { noteTwice, withCheckpoints } from "./open-checkpoints.ts";
import { openData, openUnscoredFor } from "./open-data.ts";

/** Two networks to measure between, with their architecture and data. */
export interface Pair extends OpenedArchitecture, BoundArchitecture {
  readonly a: Checkpoint;
  /** B as it is in its file. */
  readonly unaligned: Checkpoint;
  /** B as it is measured: aligned, if the options ask for that. */
  readonly b: Checkpoint;
  /** Summary of the alignment; undefined if none was searched for. */
  readonly summary: AlignedNetwork["summary"] | undefined;
  readonly data: DataSet;
  /** Examples to measure statistics on; undefined for the evaluated ones. */
  readonly statisticsData: DataSet | undefined;
  readonly statistics: StatisticsChoice;
  /** All files that are read. */
  readonly inputs: readonly string[];
}

/** The networks and files that {@link withPair} opens. */
export interface PairRequest {
  readonly paths: readonly [string, string];
  readonly options: PairOptions;
  /** Files that will be written. */
  readonly outputs: readonly string[];
}

/**
 * Opens two networks with their data, aligns B if the options ask for it, passes them to `work`, and closes
 * them whatever happens.
 * @throws UsageError if options exclude each other
 * @throws InputError if an output cannot be written
 */
export async function withPair<T>(
  { paths, options, outputs }: PairRequest,
  context: Context,
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const statistics = policyOf(options);
  noteTwice(paths, context.terminal);
  await assertArchitecture("measure", paths, options);
  const read = await openSharedArchitecture(paths, options);
  const { data, statisticsData: named } = await openData(options, dataContext(read));
  const opened = fitToData(read, data);
  const matchData = options.matchData ?? named ?? data;
  const matching = options.align
    ? matchingOf(options, await openMatchData(options, matchData, opened))
    : undefined;
  const { alignment } = options;
  const permutations = alignment === undefined ? undefined : await readJsonFile(alignment);
  return withCheckpoints(paths, async (checkpoints) => {
    const inputs = [
      ...checkpoints.flatMap(({ files }) => files),
      ...[options.graph, alignment, options.exportedFrom].filter((path) => path !== undefined),
    ];
    for (const output of outputs) await assertOutput(output, inputs);
    const architecture = await bindArchitecture(opened, checkpoints, options, context);
    for (const line of describeFeeds("measure", architecture.graph, data, {
      ...options,
      ...encodingOf(opened),
    }))
      context.terminal.note(line);
    const feeds = { context: dataContext(read), statistics };
    const statisticsData = named ?? (await openUnscoredFor(architecture.graph, options, feeds));
    const [one, two] = architecture.networks as [BoundNetwork, BoundNetwork];
    const [a, unaligned] = [one.network, two.network];
    const pair = { ...architecture, a, unaligned, data, statisticsData, statistics, inputs };
    if (matching !== undefined) {
      const { aligned } = await align(architecture, [one, two], {
        ...matching,
        ...followAlignment(options.method, context),
      });
      const { network, summary } = at(aligned, 0, "aligned network");
      return work({ ...pair, b: network, summary });
    }
    const b =
      permutations === undefined
        ? unaligned
        : await permuteBy(permutations, { architecture, network: unaligned, context });
    return work({ ...pair, b, summary: undefined });
  });
}

/** Permutes a network by an alignment in JSON, which holds for the symmetries of its architecture. */
async function permuteBy(
  json: unknown,
  {
    architecture,
    network,
    context,
  }: { readonly architecture: OpenedArchitecture; readonly network: Checkpoint; readonly context: Context },
): Promise<Checkpoint> {
  context.progress("Discovering symmetries");
  const { graph, engine } = architecture;
  const { spec } = await discoverSymmetries({ graph, engine }, { signal: context.signal });
  return permute(decodeAlignment(spec, json), network, spec);
}
