import { at, type Checkpoint, noteTwice, readJsonFile, withCheckpoints } from "@isthmus/core";
import {
  type Architecture,
  assertDataFits,
  type BoundArchitecture,
  bindArchitecture,
  type DataSet,
  limitExamples,
} from "@isthmus/graph";
import { STATISTICS_EXAMPLES, type StatisticsChoice } from "@isthmus/statistics";
import { permuteByAlignment } from "@isthmus/symmetry";
import { type AlignedNetwork, type AlignOptions, align, reportAlignment } from "@isthmus/weight-matching";
import {
  assertArchitecture,
  dataContext,
  fitToData,
  noteFeeds,
  type OpenedArchitecture,
  openExamples,
  openMeasuredExamples,
  openSharedArchitecture,
  openUnscoredExamples,
} from "@isthmus/zoo";
import { statisticsOf } from "./statistics-of.ts";
import type { OpeningControl, PairOptions } from "./subject-options.ts";

/** Two networks to measure between, with their architecture and data. */
export interface Pair extends OpenedArchitecture, BoundArchitecture {
  /** Network A, from its file. */
  readonly a: Checkpoint;
  /** Network B from its file, before any alignment. */
  readonly unaligned: Checkpoint;
  /** Network B that is measured: aligned, if the options ask for that. */
  readonly b: Checkpoint;
  /** Summary of the alignment; undefined if the options ask for none. */
  readonly summary: AlignedNetwork["summary"] | undefined;
  /** Examples to measure on. */
  readonly data: DataSet;
  /** Examples to train on; undefined if nothing is trained. */
  readonly training: DataSet | undefined;
  /** Examples to measure statistics on; undefined for the evaluated ones. */
  readonly statisticsData: DataSet | undefined;
  /** Policy for statistics of activations between the networks. */
  readonly statistics: StatisticsChoice;
  /** Paths of all files that are read. */
  readonly files: readonly string[];
}

/** Names of two networks, with the examples for both. */
export interface PairRequest {
  /** Paths of networks A and B. */
  readonly paths: readonly [string, string];
  /** Names of the graph and the examples, and settings of the alignment. */
  readonly options: PairOptions;
  /**
   * Name of examples to train on, the first of which serve for statistics if no others are named.
   * @defaultValue nothing is trained
   */
  readonly training?: string | undefined;
}

/**
 * Opens two networks with their data, aligns the second if the options ask for it, passes them to `work`, and
 * closes them whatever happens.
 * @throws UsageError if options exclude each other
 */
export async function withPair<T>(
  { paths, options, training: trainingName }: PairRequest,
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const { engine, onNote = () => {}, align: choice, alignment } = options;
  const statistics = statisticsOf(options);
  noteTwice(paths, onNote);
  await assertArchitecture("measure", paths, options);
  const read = await openSharedArchitecture(paths, engine, options);
  const context = dataContext(read);
  const training =
    trainingName === undefined ? undefined : await openExamples(trainingName, context, options);
  const unscored = training && unscoredOf(training, options);
  const { data, statisticsData: named } = await openMeasuredExamples(
    unscored === undefined ? options : { ...options, recalibrateExamples: undefined },
    context,
  );
  const opened = fitToData(read, training ?? data);
  const matching = choice && (await openMatching(opened, options, named ?? training ?? data));
  const permutations = alignment === undefined ? undefined : await readJsonFile(alignment);
  return withCheckpoints(paths, async (checkpoints) => {
    const files = [
      ...checkpoints.flatMap((checkpoint) => checkpoint.files),
      ...[options.graph, alignment, options.exportedFrom].filter((path) => path !== undefined),
    ];
    await options.onFiles?.(files);
    const architecture = await bindArchitecture(opened, checkpoints, options);
    noteFeeds("measure", architecture, training ?? data, {
      isScaled: options.scaling !== undefined,
      onNote,
    });
    if (training !== undefined) assertDataFits("measure", architecture.graph, data, 1);
    const statisticsData =
      named ?? unscored ?? (await openUnscoredExamples(architecture.graph, options, { context, statistics }));
    const [a, unaligned] = [networkOf(architecture, 0), networkOf(architecture, 1)];
    const examples = { data, training, statisticsData };
    const pair = { ...architecture, ...examples, a, unaligned, statistics, files };
    const moved = await moveSecond(architecture, { matching, permutations }, options);
    return work({ ...pair, b: moved?.network ?? unaligned, summary: moved?.summary });
  });
}

const networkOf = ({ networks }: BoundArchitecture, index: number): Checkpoint =>
  at(networks, index, "network").network;

/** Opens the examples that an alignment matches by, and returns the options of the alignment with them. */
async function openMatching(
  architecture: OpenedArchitecture,
  { align: choice, matchData, ...options }: PairOptions,
  usual: DataSet,
): Promise<AlignOptions> {
  const { method = "weight" } = choice ?? {};
  if (method === "weight") return { ...choice, method } as AlignOptions;
  const data =
    matchData === undefined ? usual : await openExamples(matchData, dataContext(architecture), options);
  return { ...choice, data } as AlignOptions;
}

/** Way in which the second network of a pair is moved: by matching it, or by given permutations. */
interface Moving {
  readonly matching: AlignOptions | undefined;
  /** Alignment as JSON; undefined if none is read. */
  readonly permutations: unknown;
}

/** Moves the second network of a pair; undefined if it keeps its place. */
async function moveSecond(
  architecture: Architecture & BoundArchitecture,
  { matching, permutations }: Moving,
  { signal, onNote = () => {}, onProgress = () => {} }: OpeningControl,
): Promise<{ readonly network: Checkpoint; readonly summary?: AlignedNetwork["summary"] } | undefined> {
  if (matching !== undefined) {
    const { aligned } = await align(architecture, architecture.networks, {
      ...matching,
      signal,
      onNote: (text) => onNote(`${text}.`),
      onProgress: reportAlignment(matching.method, onProgress),
    });
    return at(aligned, 0, "aligned network");
  }
  if (permutations === undefined) return undefined;
  onProgress("Discovering symmetries");
  const network = await permuteByAlignment(architecture, networkOf(architecture, 1), permutations, {
    signal,
  });
  return { network };
}

/** Returns the first of the examples to train on, for statistics, unless options name others. */
function unscoredOf(
  training: DataSet,
  { recalibrateData, recalibrateExamples = STATISTICS_EXAMPLES }: PairOptions,
): DataSet | undefined {
  if (recalibrateData !== undefined) return undefined;
  return limitExamples("measure statistics", training, recalibrateExamples);
}
