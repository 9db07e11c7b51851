import { at, type Checkpoint, noteTwice, readJsonFile, withCheckpoints } from "@isthmus/core";
import {
  assertDataFits,
  type BoundArchitecture,
  type BoundNetwork,
  type DataSet,
  limitExamples,
} from "@isthmus/graph";
import { STATISTICS_EXAMPLES, type StatisticsChoice } from "@isthmus/statistics";
import { permuteByAlignment } from "@isthmus/symmetry";
import { type AlignedNetwork, align } from "@isthmus/weight-matching";
import { assertArchitecture, dataContext, fitToData, noteFeeds, type OpenedArchitecture } from "@isthmus/zoo";
import { matchingOf, openMatchData } from "../options/match-options.ts";
import { type PairOptions, policyOf } from "../options/pair-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context } from "../verb.ts";
import { bindArchitecture } from "./bind-architecture.ts";
import { openSharedArchitecture } from "./open-architecture.ts";
import { openData, openExamples, openUnscoredFor } from "./open-data.ts";

/** Two networks to measure between, with their architecture and data. */
export interface Pair extends OpenedArchitecture, BoundArchitecture {
  readonly a: Checkpoint;
  /** Network B from its file, before any alignment. */
  readonly unaligned: Checkpoint;
  /** Network B that is measured: aligned, if the options ask for that. */
  readonly b: Checkpoint;
  /** Summary of the alignment; undefined if the options ask for none. */
  readonly summary: AlignedNetwork["summary"] | undefined;
  readonly data: DataSet;
  /** Examples to train on; undefined if nothing is trained. */
  readonly training: DataSet | undefined;
  /** Examples to measure statistics on; undefined for the evaluated ones. */
  readonly statisticsData: DataSet | undefined;
  readonly statistics: StatisticsChoice;
  /** Paths of all files that are read. */
  readonly inputs: readonly string[];
}

/** The networks and files that {@link withPair} opens. */
export interface PairRequest {
  readonly paths: readonly [string, string];
  readonly options: PairOptions;
  /**
   * Name of examples to train on, the first of which serve for statistics if no others are named.
   * @defaultValue nothing is trained
   */
  readonly training?: string | undefined;
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
  { paths, options, training: trainingName, outputs }: PairRequest,
  context: Context,
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const statistics = policyOf(options);
  noteTwice(paths, context.terminal.note);
  await assertArchitecture("measure", paths, options);
  const read = await openSharedArchitecture(paths, options);
  const reading = dataContext(read);
  const training =
    trainingName === undefined ? undefined : await openExamples(trainingName, options, reading);
  const unscored = training && unscoredOf(training, options);
  const { data, statisticsData: named } = await openData(
    unscored === undefined ? options : { ...options, recalibrateExamples: undefined },
    reading,
  );
  const opened = fitToData(read, training ?? data);
  const matchData = options.matchData ?? named ?? training ?? data;
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
    const isScaled = options.mean !== undefined;
    noteFeeds("measure", architecture, training ?? data, { isScaled, onNote: context.terminal.note });
    if (training !== undefined) assertDataFits("measure", architecture.graph, data, 1);
    const feeds = { context: reading, statistics };
    const statisticsData = named ?? unscored ?? (await openUnscoredFor(architecture.graph, options, feeds));
    const [one, two] = architecture.networks as [BoundNetwork, BoundNetwork];
    const [a, unaligned] = [one.network, two.network];
    const examples = { data, training, statisticsData };
    const pair = { ...architecture, ...examples, a, unaligned, statistics, inputs };
    if (matching !== undefined) {
      const { aligned } = await align(architecture, [one, two], {
        ...matching,
        ...followAlignment(options.method, context),
      });
      const { network, summary } = at(aligned, 0, "aligned network");
      return work({ ...pair, b: network, summary });
    }
    if (permutations === undefined) return work({ ...pair, b: unaligned, summary: undefined });
    context.progress("Discovering symmetries");
    const { signal } = context;
    const b = await permuteByAlignment(architecture, unaligned, permutations, { signal });
    return work({ ...pair, b, summary: undefined });
  });
}

/** Returns the first of the examples to train on, for statistics, unless options name others. */
function unscoredOf(
  training: DataSet,
  { recalibrateData, recalibrateExamples = STATISTICS_EXAMPLES }: PairOptions,
): DataSet | undefined {
  if (recalibrateData !== undefined) return undefined;
  return limitExamples("measure statistics", training, recalibrateExamples);
}
