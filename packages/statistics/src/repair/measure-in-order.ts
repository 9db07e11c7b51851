import { at, entry, InputError, type Tensor } from "@isthmus/core";
import {
  bakeWeights,
  createLeaveOutFilling,
  type DataSet,
  type Engine,
  extractSubgraph,
  type FedBatch,
  type FeedPlan,
  type Graph,
  type LeaveOutFilling,
  planFeeds,
  type Session,
  type ValueInfo,
} from "@isthmus/graph";
import { UnitMoments, type UnitStatistics } from "../activations/unit-moments.ts";
import { UnitReader } from "../activations/unit-view.ts";
import type { Site } from "./site.ts";
import { type SiteLevel, sortSites } from "./site-levels.ts";

/** Options of what runs a network over data place by place. */
export interface MeasureInOrderOptions {
  /** Examples in one engine call; does not change the result beyond rounding. @defaultValue 100 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /**
   * Memory for activations between two places, in bytes; where all examples do not fit, the network is run
   * from the last place where they did. @defaultValue 2 GiB
   */
  readonly maxCacheBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link MeasureInOrderOptions}. */
export const MEASURE_IN_ORDER_DEFAULTS: Required<MeasureInOrderOptions> = {
  batchSize: 100,
  threads: 0,
  maxCacheBytes: 2 ** 31,
  signal: undefined,
};

/** A network whose weights are corrected as it is measured. */
export interface OpenNetwork {
  readonly graph: Graph;
  readonly engine: Engine;
  /** A tensor for every weight of the graph; changed by the corrections. */
  readonly weights: Map<string, Tensor>;
}

/** What to measure, and what to do about it. */
export interface OrderedMeasurement<S extends Site> {
  /** What is attempted, for messages, for example `recalibrate batch norms`. */
  readonly attempt: string;
  readonly sites: readonly S[];
  /** Corrects the weights by what was measured at a site. */
  readonly correct: (site: S, statistics: UnitStatistics, weights: Map<string, Tensor>) => void;
}

/**
 * Measures sites in order, each in a network in which those before it are corrected already, as one batch of all examples
 * would have them. Activations are kept from one level of sites to the next, so that every layer is run about once.
 *
 * @throws InputError if there are no examples, they do not fit the graph's input, or activations are not finite f32
 * @throws RangeError if an option is out of its range
 */
export async function measureInOrder<S extends Site>(
  network: OpenNetwork,
  data: DataSet,
  measurement: OrderedMeasurement<S>,
  options: Required<MeasureInOrderOptions>,
): Promise<void> {
  const { attempt, sites } = measurement;
  const plan = planFeeds(attempt, network.graph, data, options.batchSize);
  if (!(options.maxCacheBytes >= 0)) {
    throw new RangeError(
      `Cannot ${attempt} as maxCacheBytes must be at least 0: got ${options.maxCacheBytes}`,
    );
  }
  let cache = cacheOfData(network.graph, plan);
  const leaveOut = await createLeaveOutFilling(attempt, network, plan);
  for (const level of sortSites(network.graph, sites)) {
    options.signal?.throwIfAborted();
    const { statistics, next } = await measureLevel(network, { level, cache, leaveOut, options });
    level.sites.forEach((site, index) => {
      const own = statistics[index];
      if (own === undefined) return;
      assertFinite(attempt, site, own);
      measurement.correct(site, own, network.weights);
    });
    cache = next;
  }
}

function assertFinite(attempt: string, { value, label }: Site, { mean, variance }: UnitStatistics): void {
  if (mean.every(isFiniteF32) && variance.every(isFiniteF32)) return;
  throw new InputError(
    `Cannot ${attempt} as activations at "${label}" must be finite: mean or variance of a unit of "${value}" is not`,
    { input: label },
  );
}

function isFiniteF32(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

/** Values of a batch at one place of the network. */
interface CachedBatch extends Pick<FedBatch, "examples" | "rows"> {
  readonly values: ReadonlyMap<string, Tensor>;
}

/** Values of all examples at one place of the network, batch by batch. */
interface Cache {
  readonly values: readonly ValueInfo[];
  readonly batches: number;
  read(batch: number): CachedBatch;
}

function cacheOfData({ inputs }: Graph, plan: FeedPlan): Cache {
  return {
    values: inputs,
    batches: plan.ranges.length,
    read(batch) {
      const { feeds, examples, rows } = plan.read(at(plan.ranges, batch, "batch"));
      return { values: feeds, examples, rows };
    },
  };
}

interface LevelTask<S extends Site> {
  readonly level: SiteLevel<S>;
  readonly cache: Cache;
  readonly leaveOut: LeaveOutFilling;
  readonly options: Required<MeasureInOrderOptions>;
}

/** Measures the sites of one level; returns what the next level may start from, too. */
async function measureLevel<S extends Site>(
  network: OpenNetwork,
  { level, cache, leaveOut, options }: LevelTask<S>,
): Promise<{ readonly statistics: readonly UnitStatistics[]; readonly next: Cache }> {
  const { live } = level;
  const sites = level.sites.map(({ value, axis }) => ({
    reader: new UnitReader({ value, axes: [axis] }),
    moments: new UnitMoments(),
  }));
  const wanted = [...new Set([...level.sites.map(({ value }) => value), ...live])];
  const session = await loadPart(network, cache.values, { wanted, threads: options.threads });
  const kept: CachedBatch[] = [];
  let keep = true;
  try {
    for (let batch = 0; batch < cache.batches; batch++) {
      options.signal?.throwIfAborted();
      const { values, ...counts } = cache.read(batch);
      const results = new Map([...values, ...((await session?.run(values)) ?? [])]);
      for (const { reader, moments } of sites) {
        const { value } = reader.view;
        moments.add(reader.read(leaveOut(value, entry(results, value, "value"), counts)));
      }
      keep &&= bytesOf(results, live) * cache.batches <= options.maxCacheBytes;
      if (!keep) kept.length = 0;
      else
        kept.push({ values: new Map(live.map((name) => [name, entry(results, name, "value")])), ...counts });
    }
  } finally {
    await session?.release();
  }
  const statistics = sites.map(({ moments }) => moments.result());
  if (!keep) return { statistics, next: cache };
  // Not all activations are f32: shapes that depend on the data are whole numbers.
  const values = [...(kept[0]?.values ?? [])].map(([name, { dtype }]) => ({ name, dtype }));
  const read = (batch: number) => at(kept, batch, "batch");
  return { statistics, next: { values, batches: cache.batches, read } };
}

/** A session for what is wanted and not given; none where everything is, as for a norm right at the input. */
async function loadPart(
  { graph, engine, weights }: OpenNetwork,
  given: readonly ValueInfo[],
  { wanted, threads }: { readonly wanted: readonly string[]; readonly threads: number },
): Promise<Session | undefined> {
  const names = new Set(given.map(({ name }) => name));
  const computed = wanted.filter((name) => !names.has(name));
  if (computed.length === 0) return undefined;
  return engine.load(bakeWeights(extractSubgraph(graph, given, computed), weights), { threads });
}

function bytesOf(results: ReadonlyMap<string, Tensor>, names: readonly string[]): number {
  return names.reduce((bytes, name) => bytes + (results.get(name)?.data.byteLength ?? 0), 0);
}
