import { measureBarrier } from "@isthmus/barrier";
import {
  BATCH_SIZE_FIELD,
  type Checkpoint,
  createRandom,
  type FieldsOf,
  InputError,
  placesField,
  resolveFields,
  wholeField,
} from "@isthmus/core";
import {
  assertNetwork,
  type DataSet,
  type Graph,
  type LossOption,
  lossFields,
  scoreBy,
} from "@isthmus/graph";
import { STATISTICS_FIELD, type StatisticsChoice } from "@isthmus/statistics";
import { alignTo, JUDGING_RESTARTS_FIELD } from "./align-to.ts";
import type { StarArchitecture } from "./search/star-search.ts";
import type { PairBarrier, PairGroup, StarResult } from "./star-result.ts";

/** Star, its anchors, and held-out networks. */
export interface StarNetworks {
  /** Star network, whose barriers to the others are measured. */
  readonly star: Checkpoint;
  /** Networks that the star was searched to connect, at least one. */
  readonly anchors: readonly Checkpoint[];
  /** Networks that the search did not use, which show whether the search found a star; may be empty. */
  readonly heldOut: readonly Checkpoint[];
}

/** Progress of {@link measureStar}. */
export interface MeasureStarProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Pairs measured so far, of {@link total}. */
  readonly completed: number;
  /** Number of pairs to measure, of all kinds. */
  readonly total: number;
}

/** Options of {@link measureStar} that are plain data. */
export interface MeasureStarChoice {
  /**
   * Number of evenly spaced places between each pair of networks, both ends included, at least 3.
   * @defaultValue 11
   */
  readonly points?: number;
  /**
   * Number of pairs of regular networks, which are drawn from all anchors and held-out networks; 0 for all
   * pairs.
   * @defaultValue 20
   */
  readonly regularPairs?: number;
  /** Number of searches of each alignment, at least 1. @defaultValue 4 */
  readonly restarts?: number;
  /**
   * Treatment of the statistics of activations between the ends.
   * @defaultValue "auto": batch norms are measured again, networks without them are not changed
   */
  readonly statistics?: StatisticsChoice;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Fields of {@link MeasureStarChoice}. */
export const MEASURE_STAR_FIELDS: FieldsOf<MeasureStarChoice> = {
  points: placesField({
    least: 3,
    default: 11,
    help: "number of evenly spaced places for each pair",
  }),
  regularPairs: wholeField({
    least: 0,
    default: 20,
    flag: "pairs",
    help: "number of pairs of regular networks, drawn from all; 0 for all",
  }),
  restarts: JUDGING_RESTARTS_FIELD,
  statistics: STATISTICS_FIELD,
  batchSize: BATCH_SIZE_FIELD,
};

/** Options of {@link measureStar}. */
export interface MeasureStarOptions extends MeasureStarChoice, LossOption {
  /** Seed of the draw of regular pairs, and of alignments. */
  readonly seed: number;
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** Signal that stops the measurement. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each pair. @defaultValue nothing is called */
  readonly onProgress?: ((progress: MeasureStarProgress) => void) | undefined;
}

const RUN_DEFAULTS: Required<Omit<MeasureStarOptions, "seed" | keyof MeasureStarChoice>> = {
  loss: undefined,
  statisticsData: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Options with all defaults filled in. */
type Resolved = Required<MeasureStarOptions>;

/** Networks of a pair; the second is aligned to the first. */
type Pair = readonly [Checkpoint, Checkpoint];

/**
 * Measures how well a star is connected: chord barriers of loss and error between pairs of regular networks,
 * between the star and held-out networks, and between the star and its anchors. Each pair is first aligned by
 * weight matching.
 *
 * @throws InputError if there are no anchors, or the data do not fit the graph
 * @throws MismatchError if a network does not fit the graph
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of its range
 * @throws DOMException named AbortError if `signal` is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, discoverSymmetries, measureStar } from "isthmus";
 * import { openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const symmetric = { ...architecture, symmetries: await discoverSymmetries(architecture) };
 * const [star, heldOut, ...anchors] = [0, 1, 2, 3].map(initialize); // as findStar found them, as a rule
 * assert(star !== undefined && heldOut !== undefined);
 * const networks = { star, anchors, heldOut: [heldOut] };
 * const { barriers } = await measureStar(symmetric, networks, data, { seed: 0, points: 3 });
 * assert.deepEqual([barriers.starAnchor.pairs.length, barriers.starHeldOut.pairs.length], [2, 1]);
 * ```
 */
export async function measureStar(
  { graph: unscored, engine, symmetries }: StarArchitecture,
  { star, anchors, heldOut }: StarNetworks,
  data: DataSet,
  options: MeasureStarOptions,
): Promise<StarResult> {
  const { seed, ...others } = options;
  const resolved = { ...resolveFields("measure a star", MEASURE_STAR_FIELDS, others, RUN_DEFAULTS), seed };
  const graph = scoreBy(unscored, resolved.loss);
  assertNetworks(graph, { star, anchors, heldOut });
  const groups = {
    regularRegular: drawPairs([...anchors, ...heldOut], resolved),
    starHeldOut: heldOut.map((network): Pair => [star, network]),
    starAnchor: anchors.map((network): Pair => [star, network]),
  };
  const total = Object.values(groups).reduce((sum, pairs) => sum + pairs.length, 0);
  let completed = 0;
  const measureGroup = async (pairs: readonly Pair[]): Promise<PairGroup> => {
    const measured: PairBarrier[] = [];
    for (const pair of pairs) {
      const onShare = (share: number) =>
        resolved.onProgress?.({ done: (completed + share) / total, completed, total });
      measured.push(await measurePair({ graph, engine, data, symmetries }, pair, { ...resolved, onShare }));
      completed += 1;
    }
    return summarizePairs(measured);
  };
  return {
    kind: "star",
    ...lossFields(graph, data),
    anchors: anchors.map(({ source }) => source),
    heldOut: heldOut.map(({ source }) => source),
    barriers: {
      regularRegular: await measureGroup(groups.regularRegular),
      starHeldOut: await measureGroup(groups.starHeldOut),
      starAnchor: await measureGroup(groups.starAnchor),
    },
    points: resolved.points,
    aligned: symmetries !== undefined,
    data: data.name,
    examples: data.size,
    seed,
    engine: engine.name,
  };
}

function assertNetworks(graph: Graph, { star, anchors, heldOut }: StarNetworks): void {
  if (anchors.length === 0) {
    throw new InputError(`Cannot measure the star "${star.source}" as it must have anchors: there are none`, {
      input: star.source,
    });
  }
  for (const network of [star, ...anchors, ...heldOut]) assertNetwork(graph, network);
}

/** Draws pairs of networks by the seed, and returns them in the order of all pairs. */
function drawPairs(
  networks: readonly Checkpoint[],
  { regularPairs, seed }: Pick<Resolved, "regularPairs" | "seed">,
): Pair[] {
  const all = networks.flatMap((a, i) => networks.slice(i + 1).map((b): Pair => [a, b]));
  if (regularPairs === 0 || regularPairs >= all.length) return all;
  const order = createRandom(seed, "regular pairs").shuffleInPlace(Uint32Array.from(all, (_, i) => i));
  const drawn = new Set(order.subarray(0, regularPairs));
  return all.filter((_, i) => drawn.has(i));
}

/** Aligns the second network of a pair to the first, and measures the chord barriers between them. */
async function measurePair(
  { graph, engine, data, symmetries }: StarArchitecture & { readonly data: DataSet },
  [a, b]: Pair,
  options: Resolved & { readonly onShare: (share: number) => void },
): Promise<PairBarrier> {
  const { points, statistics, statisticsData, batchSize, signal, onShare } = options;
  signal?.throwIfAborted();
  onShare(0);
  const aligned = symmetries === undefined ? b : await alignTo(a, b, { graph, engine, symmetries }, options);
  const { barrier } = await measureBarrier({ graph, engine }, [a, aligned], data, {
    points,
    statistics,
    statisticsData,
    batchSize,
    signal,
    onProgress: ({ done }) => onShare(done),
  });
  return { a: a.source, b: b.source, loss: barrier.loss.chord, error: barrier.error.chord };
}

/**
 * Computes the mean and the sample standard deviation of the loss barriers of pairs: the mean is NaN if there
 * are no pairs, the deviation if there are fewer than two.
 */
export function summarizePairs(pairs: readonly PairBarrier[]): PairGroup {
  const mean = pairs.reduce((sum, { loss }) => sum + loss, 0) / pairs.length;
  const squares = pairs.reduce((sum, { loss }) => sum + (loss - mean) ** 2, 0);
  const std = pairs.length < 2 ? Number.NaN : Math.sqrt(squares / (pairs.length - 1));
  return { pairs, mean, std };
}
