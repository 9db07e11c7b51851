import { at, entry, InputError, OutOfRangeError, type Tensor } from "@isthmus/core";
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
  type Node,
  planFeeds,
  type Session,
  type ValueInfo,
} from "@isthmus/graph";
import { capturedNames } from "@isthmus/graph/ir";
import { UnitMoments, type UnitStatistics } from "../activations/unit-moments.ts";
import { UnitReader } from "../activations/unit-view.ts";
import type { Site } from "./site.ts";

/** Options of {@link measureInOrder}. */
export interface MeasureInOrderOptions {
  /** Examples in one engine call; does not change the result beyond rounding. @defaultValue 100 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /**
   * Memory for activations between two levels of sites, in bytes; if the activations of all examples do not
   * fit, the network is run from the last level whose activations did fit. @defaultValue 2 GiB
   */
  readonly maxCacheBytes?: number;
  /** Signal that stops the measurement. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link MeasureInOrderOptions}. */
export const MEASURE_IN_ORDER_DEFAULTS: Required<MeasureInOrderOptions> = {
  batchSize: 100,
  threads: 0,
  maxCacheBytes: 2 ** 31,
  signal: undefined,
};

/** A network whose weights are corrected while it is measured. */
export interface OpenNetwork {
  /** Graph of the network. */
  readonly graph: Graph;
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /** Tensors for all weights of the graph; changed by the corrections. */
  readonly weights: Map<string, Tensor>;
}

/** Sites to measure, and the function that corrects weights by their statistics. */
export interface OrderedMeasurement<S extends Site> {
  /** Action that messages name, for example `recalibrate batch norms`. */
  readonly attempt: string;
  /** Sites to measure, each once all sites before it are corrected. */
  readonly sites: readonly S[];
  /** Function that corrects the weights by the statistics of a site. */
  readonly correct: (site: S, statistics: UnitStatistics, weights: Map<string, Tensor>) => void;
}

/**
 * Measures sites in order, each in a network in which all earlier sites are corrected already, as in one
 * batch of all examples. Activations are stored from one level of sites to the next, so that every layer is
 * run about once.
 *
 * @throws InputError if there are no examples, they do not fit the graph's input, or activations are not
 * finite f32
 * @throws OutOfRangeError if an option is out of its range
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
    throw new OutOfRangeError(
      `Cannot ${attempt} as maxCacheBytes must be at least 0: got ${options.maxCacheBytes}`,
    );
  }
  let cache = cacheOfData(network.graph, plan);
  const leaveOut = await createLeaveOutFilling(attempt, network, plan);
  for (const level of sortSites(network.graph, sites)) {
    options.signal?.throwIfAborted();
    const { statistics, next } = await measureLevel(network, { level, cache, leaveOut, options });
    for (const [index, site] of level.sites.entries()) {
      const measured = at(statistics, index, "site");
      assertFinite(attempt, site, measured);
      measurement.correct(site, measured, network.weights);
    }
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

/** Measures the sites of one level; also returns the values from which the next level can be computed. */
async function measureLevel<S extends Site>(
  network: OpenNetwork,
  { level, cache, leaveOut, options }: LevelTask<S>,
): Promise<{ readonly statistics: readonly UnitStatistics[]; readonly next: Cache }> {
  const { live } = level;
  const sites = level.sites.map(({ value, axis }) => ({
    reader: new UnitReader({ value, axes: [axis] }),
    moments: new UnitMoments(),
  }));
  const targets = [...new Set([...level.sites.map(({ value }) => value), ...live])];
  const session = await loadPart(network, cache.values, { targets, threads: options.threads });
  const stored: CachedBatch[] = [];
  let fitsMemory = true;
  try {
    for (let batch = 0; batch < cache.batches; batch++) {
      options.signal?.throwIfAborted();
      const { values, ...counts } = cache.read(batch);
      const results = new Map([...values, ...((await session?.run(values)) ?? [])]);
      for (const { reader, moments } of sites) {
        const { value } = reader.view;
        moments.add(reader.read(leaveOut(value, entry(results, value, "value"), counts)));
      }
      fitsMemory &&= bytesOf(results, live) * cache.batches <= options.maxCacheBytes;
      if (fitsMemory) {
        stored.push({
          values: new Map(live.map((name) => [name, entry(results, name, "value")])),
          ...counts,
        });
      } else stored.length = 0;
    }
  } finally {
    await session?.release();
  }
  const statistics = sites.map(({ moments }) => moments.result());
  if (!fitsMemory) return { statistics, next: cache };
  // Not all activations are f32: shapes that depend on the data are integers.
  const values = [...at(stored, 0, "batch").values].map(([name, { dtype }]) => ({ name, dtype }));
  const read = (batch: number) => at(stored, batch, "batch");
  return { statistics, next: { values, batches: cache.batches, read } };
}

/**
 * Loads a session that computes target values from available ones; undefined if all are available, as for a
 * norm of the input.
 */
async function loadPart(
  { graph, engine, weights }: OpenNetwork,
  available: readonly ValueInfo[],
  { targets, threads }: { readonly targets: readonly string[]; readonly threads: number },
): Promise<Session | undefined> {
  const names = new Set(available.map(({ name }) => name));
  const computed = targets.filter((name) => !names.has(name));
  if (computed.length === 0) return undefined;
  return engine.load(bakeWeights(extractSubgraph(graph, available, computed), weights), { threads });
}

function bytesOf(results: ReadonlyMap<string, Tensor>, names: readonly string[]): number {
  return names.reduce((bytes, name) => bytes + entry(results, name, "value").data.byteLength, 0);
}

/** Sites of a graph that can be measured together, as no path leads from one to another. */
interface SiteLevel<S extends Site> {
  readonly sites: readonly S[];
  /** Names of values that are computed from the data before this level and used in it or later. */
  readonly live: readonly string[];
}

/** Sorts sites into levels by the largest number of sites before them on a path from the data. */
export function sortSites<S extends Site>(graph: Graph, sites: readonly S[]): SiteLevel<S>[] {
  const siteOf = new Map(sites.map((site) => [site.node, site]));
  const depth = depthOfValues(graph, (node) => siteOf.has(node.name));
  const levels: S[][] = [];
  for (const node of graph.nodes) {
    const site = siteOf.get(node.name);
    if (site === undefined) continue;
    const level = entry(depth, at(node.outputs, 0, "output"), "depth");
    while (levels.length < level) levels.push([]);
    at(levels, level - 1, "level").push(site);
  }
  return levels.map((level, index) => ({ sites: level, live: liveValues(graph, depth, index) }));
}

/** Counts the sites before each value that depends on the data; other values are missing. */
function depthOfValues(graph: Graph, isSite: (node: Node) => boolean): Map<string, number> {
  const depth = new Map<string, number>(graph.inputs.map(({ name }) => [name, 0]));
  for (const node of graph.nodes) {
    let level = -1;
    for (const name of readBy(node)) level = Math.max(level, depth.get(name) ?? -1);
    if (isSite(node)) level = Math.max(level, 0) + 1;
    if (level < 0) continue;
    for (const name of node.outputs) if (name !== "") depth.set(name, level);
  }
  return depth;
}

function liveValues(graph: Graph, depth: ReadonlyMap<string, number>, level: number): string[] {
  const live = new Set<string>();
  for (const node of graph.nodes) {
    const nodeDepth = Math.max(-1, ...node.outputs.map((name) => depth.get(name) ?? -1));
    if (nodeDepth <= level) continue;
    for (const name of readBy(node))
      if ((depth.get(name) ?? Number.POSITIVE_INFINITY) <= level) live.add(name);
  }
  return [...live];
}

function readBy(node: Node): readonly string[] {
  return [...node.inputs, ...capturedNames(node)];
}
