import { InputError, resolveOptions, type Tensor } from "@isthmus/core";
import {
  assertDataFits,
  bakeWeights,
  type DataSet,
  type Engine,
  extractSubgraph,
  type Graph,
  type Session,
  type ValueInfo,
} from "@isthmus/graph";
import { type BatchNormLevel, batchNormLevels } from "./batch-norm-levels.ts";
import { addChannelMoments } from "./kernels/channel-moments.ts";

/** Options of {@link recalibrateBatchNorm}. */
export interface RecalibrateOptions {
  /** Examples in one engine call; does not change the result beyond rounding. @defaultValue 100 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /**
   * Memory for activations between two norms, in bytes; where all examples do not fit, the network is run
   * from the last place where they did. @defaultValue 2 GiB
   */
  readonly maxCacheBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link recalibrateBatchNorm}. */
export const RECALIBRATE_DEFAULTS: Required<RecalibrateOptions> = {
  batchSize: 100,
  threads: 0,
  maxCacheBytes: 2 ** 31,
  signal: undefined,
};

/**
 * Measures anew the mean and variance of every batch norm, as one batch of all examples would have them.
 *
 * Norms are taken in order, each with those before it already measured, so the result does not depend on
 * how examples fall into batches, unlike the running averages of a training pass (Jordan et al. 2023,
 * section 3, reset with momentum averages); sums are in f64; variances are the population's.
 *
 * @param weights - a tensor for every weight of the graph
 * @returns all of `weights`, statistics replaced
 * @throws InputError if there are no examples, they do not fit the graph's input, or the activations of a norm are
 *   not finite f32
 * @throws UnsupportedError if two norms share their statistics
 * @throws RangeError if an option is out of its range
 */
export async function recalibrateBatchNorm(
  network: { readonly graph: Graph; readonly engine: Engine; readonly weights: ReadonlyMap<string, Tensor> },
  data: DataSet,
  options: RecalibrateOptions = {},
): Promise<Map<string, Tensor>> {
  const resolved = resolveOptions("recalibrate batch norm", RECALIBRATE_DEFAULTS, options);
  const weights = new Map(network.weights);
  assertDataFits("recalibrate batch norms", network.graph, data, resolved.batchSize);
  if (!(resolved.maxCacheBytes >= 0)) {
    throw new RangeError(
      `Cannot recalibrate batch norms as maxCacheBytes must be at least 0: got ${resolved.maxCacheBytes}`,
    );
  }
  let cache = cacheOfData(network.graph, data, resolved.batchSize);
  for (const level of batchNormLevels(network.graph)) {
    resolved.signal?.throwIfAborted();
    cache = await measureLevel({ ...network, weights }, { level, cache, options: resolved });
  }
  return weights;
}

/** Values of all examples at one place of the network, batch by batch. */
interface Cache {
  readonly values: readonly ValueInfo[];
  readonly batches: number;
  read(batch: number): ReadonlyMap<string, Tensor>;
}

function cacheOfData(graph: Graph, data: DataSet, batchSize: number): Cache {
  const input = graph.inputs[0] ?? { name: "" };
  const { name } = input;
  return {
    values: [input],
    batches: Math.ceil(data.size / batchSize),
    read: (batch) =>
      new Map([[name, data.read(batch * batchSize, Math.min((batch + 1) * batchSize, data.size)).inputs]]),
  };
}

interface LevelTask {
  readonly level: BatchNormLevel;
  readonly cache: Cache;
  readonly options: Required<RecalibrateOptions>;
}

/** Measures the norms of one level into `network.weights`; returns what the next level may start from. */
async function measureLevel(
  network: { readonly graph: Graph; readonly engine: Engine; readonly weights: Map<string, Tensor> },
  { level, cache, options }: LevelTask,
): Promise<Cache> {
  const values = level.norms.map(({ inputs }) => inputs[0] ?? "");
  const wanted = [...new Set([...values, ...level.live])];
  const session = await loadPart(network, cache.values, { wanted, threads: options.threads });
  const moments = values.map(() => new ChannelMoments());
  const kept: ReadonlyMap<string, Tensor>[] = [];
  let keep = true;
  try {
    for (let batch = 0; batch < cache.batches; batch++) {
      options.signal?.throwIfAborted();
      const feeds = cache.read(batch);
      const results = new Map([...feeds, ...((await session?.run(feeds)) ?? [])]);
      values.forEach((value, index) => {
        moments[index]?.add(value, results.get(value));
      });
      keep &&= bytesOf(results, level.live) * cache.batches <= options.maxCacheBytes;
      if (!keep) kept.length = 0;
      else kept.push(new Map(level.live.map((name) => [name, results.get(name) as Tensor])));
    }
  } finally {
    await session?.release();
  }
  level.norms.forEach(({ inputs }, index) => {
    moments[index]?.store(network.weights, inputs[3] ?? "", inputs[4] ?? "");
  });
  if (!keep) return cache;
  // Not all activations are f32: shapes that depend on the data are whole numbers.
  const live = [...(kept[0] ?? [])].map(([name, { dtype }]) => ({ name, dtype }));
  return { values: live, batches: cache.batches, read: (batch) => kept[batch] ?? new Map() };
}

/** A session for what is wanted and not given; none where everything is, as for a norm right at the input. */
async function loadPart(
  { graph, engine, weights }: { graph: Graph; engine: Engine; weights: ReadonlyMap<string, Tensor> },
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

/** Streaming mean and variance of each channel of `[examples, channels, ...]` values. */
class ChannelMoments {
  #shift: Float64Array | undefined;
  #sums = new Float64Array();
  #squares = new Float64Array();
  #count = 0;

  add(name: string, value: Tensor | undefined): void {
    if (!(value?.data instanceof Float32Array) || value.shape.length < 2) {
      throw new InputError(
        `Cannot recalibrate a batch norm as its input "${name}" must be f32 [examples, channels, ...]: got ${value?.dtype ?? "nothing"} [${value?.shape.join(", ") ?? ""}]`,
        { input: name },
      );
    }
    const [examples = 0, channels = 0] = value.shape;
    const plane = value.data.length / (examples * channels);
    if (this.#shift === undefined) {
      this.#shift = Float64Array.from({ length: channels }, (_, c) => value.data[c * plane] as number);
      this.#sums = new Float64Array(channels);
      this.#squares = new Float64Array(channels);
    }
    addChannelMoments(value.data, this.#shift, this.#sums, this.#squares, examples);
    this.#count += examples * plane;
  }

  store(weights: Map<string, Tensor>, mean: string, variance: string): void {
    const shift = this.#shift ?? new Float64Array();
    const means = new Float32Array(shift.length);
    const variances = new Float32Array(shift.length);
    shift.forEach((origin, c) => {
      const delta = (this.#sums[c] ?? 0) / this.#count;
      means[c] = origin + delta;
      variances[c] = Math.max(0, (this.#squares[c] ?? 0) / this.#count - delta * delta);
    });
    if (!means.every(Number.isFinite) || !variances.every(Number.isFinite)) {
      throw new InputError(
        `Cannot recalibrate batch-norm statistics "${mean}" as activations must be finite: a channel's mean or variance is not`,
        { input: mean },
      );
    }
    weights.set(mean, { dtype: "f32", shape: [means.length], data: means });
    weights.set(variance, { dtype: "f32", shape: [variances.length], data: variances });
  }
}
