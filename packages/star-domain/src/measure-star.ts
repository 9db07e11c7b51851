import { MEASURE_BARRIER_DEFAULTS, measureBarrier } from "@isthmus/barrier";
import { assertWholeOptions, type Checkpoint, createRandom, InputError, resolveOptions } from "@isthmus/core";
import { assertNetwork, type DataSet, type Engine, type Graph } from "@isthmus/graph";
import type { StatisticsChoice } from "@isthmus/statistics";
import type { SymmetrySpec } from "@isthmus/symmetry";
import { alignTo } from "./align-to.ts";
import type { PairBarrier, PairGroup, StarResult } from "./star-result.ts";
import { summarizePairs } from "./summarize-pairs.ts";

/** A star, the networks it was found from, and others it was not. */
export interface StarNetworks {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly star: Checkpoint;
  readonly anchors: readonly Checkpoint[];
  /** Networks that the search has not seen, which show whether it found a star; may be none. */
  readonly heldOut: readonly Checkpoint[];
  /** Examples that barriers are measured on. */
  readonly data: DataSet;
  /** Symmetries of the graph, proved, by which the second of each pair is aligned to the first; without them pairs stay as they are. */
  readonly spec?: SymmetrySpec | undefined;
}

/** How far {@link measureStar} has got. */
export interface MeasureStarProgress {
  /** Pairs measured, of {@link total}. */
  readonly done: number;
  readonly total: number;
  /** Share of the next pair that is measured, in `[0, 1]`. */
  readonly share: number;
}

/** Options of {@link measureStar}. */
export interface MeasureStarOptions {
  /** Decides which regular pairs are taken, and seeds alignments. */
  readonly seed: number;
  /** Evenly spaced places of each pair, at least 3. @defaultValue 11 */
  readonly points?: number;
  /**
   * Pairs of regular networks, anchors and held-out ones, drawn from all of them; 0 for all. @defaultValue 20
   */
  readonly regularPairs?: number;
  /** Searches of each alignment, at least 1. @defaultValue 4 */
  readonly restarts?: number;
  /**
   * What is done about the statistics of activations between the ends.
   * @defaultValue "auto": batch norms are measured anew, networks without them stay as they are
   */
  readonly statistics?: StatisticsChoice;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: MeasureStarProgress) => void) | undefined;
}

/** Defaults of {@link measureStar}. */
export const MEASURE_STAR_DEFAULTS: Required<Omit<MeasureStarOptions, "seed">> = {
  points: 11,
  regularPairs: 20,
  restarts: 4,
  statistics: MEASURE_BARRIER_DEFAULTS.statistics,
  statisticsData: undefined,
  batchSize: MEASURE_BARRIER_DEFAULTS.batchSize,
  signal: undefined,
  onProgress: undefined,
};

type Resolved = Required<MeasureStarOptions>;

/** Networks of a pair, the second of which is aligned to the first. */
type Pair = readonly [Checkpoint, Checkpoint];

/**
 * Measures how a star is connected: chord barriers of loss and error between pairs of regular networks, between the star and those
 * held out, and between the star and its anchors, each pair aligned first by weight matching.
 *
 * @throws InputError if there are no anchors, or the data do not fit the graph
 * @throws MismatchError if a network does not fit the graph
 * @throws TypeError if an option is unknown
 * @throws RangeError if an option is out of its range
 * @throws DOMException named AbortError if `signal` is aborted
 */
export async function measureStar(networks: StarNetworks, options: MeasureStarOptions): Promise<StarResult> {
  const { seed, ...given } = options;
  const resolved = { ...resolveOptions("measure a star", MEASURE_STAR_DEFAULTS, given, ["seed"]), seed };
  assertNetworks(networks, resolved);
  const { graph, engine, star, anchors, heldOut, data, spec } = networks;
  const groups = {
    regularRegular: drawPairs([...anchors, ...heldOut], resolved),
    starHeldOut: heldOut.map((network): Pair => [star, network]),
    starAnchor: anchors.map((network): Pair => [star, network]),
  };
  const total = Object.values(groups).reduce((sum, pairs) => sum + pairs.length, 0);
  let done = 0;
  const measureGroup = async (pairs: readonly Pair[]): Promise<PairGroup> => {
    const measured: PairBarrier[] = [];
    for (const pair of pairs) {
      const onShare = (share: number) => resolved.onProgress?.({ done, total, share });
      measured.push(await measurePair({ graph, engine, data, spec }, pair, { ...resolved, onShare }));
      done += 1;
    }
    return summarizePairs(measured);
  };
  return {
    kind: "star",
    anchors: anchors.map(({ source }) => source),
    heldOut: heldOut.map(({ source }) => source),
    barriers: {
      regularRegular: await measureGroup(groups.regularRegular),
      starHeldOut: await measureGroup(groups.starHeldOut),
      starAnchor: await measureGroup(groups.starAnchor),
    },
    points: resolved.points,
    aligned: spec !== undefined,
    data: data.name,
    examples: data.size,
    seed,
    engine: engine.name,
  };
}

function assertNetworks({ graph, star, anchors, heldOut }: StarNetworks, options: Resolved): void {
  if (anchors.length === 0) {
    throw new InputError(`Cannot measure the star "${star.source}" as it must have anchors: there are none`, {
      input: star.source,
    });
  }
  for (const network of [star, ...anchors, ...heldOut]) assertNetwork(graph, network);
  assertWholeOptions("measure a star", options, { regularPairs: 0, restarts: 1 });
}

/** Some of all pairs, drawn by the seed, in the order of all. */
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

async function measurePair(
  { graph, engine, data, spec }: Pick<StarNetworks, "graph" | "engine" | "data" | "spec">,
  [a, b]: Pair,
  options: Resolved & { readonly onShare: (share: number) => void },
): Promise<PairBarrier> {
  const { points, statistics, statisticsData, batchSize, signal, onShare } = options;
  signal?.throwIfAborted();
  onShare(0);
  const aligned = spec === undefined ? b : await alignTo(a, b, { graph, engine, spec }, options);
  const { barrier } = await measureBarrier(
    { graph, engine, data, a, b: aligned },
    {
      points,
      statistics,
      statisticsData,
      batchSize,
      signal,
      onProgress: (progress) => onShare(progress.done / progress.total),
    },
  );
  return { a: a.source, b: b.source, loss: barrier.loss.chord, error: barrier.error.chord };
}
