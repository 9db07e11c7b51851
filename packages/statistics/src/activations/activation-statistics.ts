import { InputError, resolveOptions, type Tensor } from "@isthmus/core";
import {
  bakeWeights,
  createLeaveOutFilling,
  type DataSet,
  type Engine,
  extractSubgraph,
  type Graph,
  planFeeds,
  type Session,
} from "@isthmus/graph";
import { PairMoments, type PairStatistics } from "./pair-moments.ts";
import { createPairProducts } from "./pair-products.ts";
import { UnitMoments, type UnitStatistics } from "./unit-moments.ts";
import { UnitReader, type UnitView } from "./unit-view.ts";

/** Options of {@link activationStatistics}. */
export interface ActivationStatisticsOptions {
  /** Examples in one engine call; does not change the result beyond rounding. @defaultValue 100 */
  readonly batchSize?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of examples seen, of all. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** Defaults of {@link activationStatistics}. */
export const ACTIVATION_STATISTICS_DEFAULTS: Required<ActivationStatisticsOptions> = {
  batchSize: 100,
  threads: 0,
  signal: undefined,
  onProgress: undefined,
};

/** Options of {@link pairStatistics}. */
export interface PairStatisticsOptions extends ActivationStatisticsOptions {
  /** Covariances of every unit of A with every unit of B, or with that in its place only. @defaultValue "all" */
  readonly pairs?: "all" | "equal";
}

/** Defaults of {@link pairStatistics}. */
export const PAIR_STATISTICS_DEFAULTS: Required<PairStatisticsOptions> = {
  ...ACTIVATION_STATISTICS_DEFAULTS,
  pairs: "all",
};

/**
 * Measures mean and variance of each unit of some values of a network over a data set, in one pass and in f64.
 *
 * Variances are the population's. Batches are merged as Chan, Golub and LeVeque (1983) do, so the result does not depend on
 * the batch size beyond rounding of f64 (and of the network itself, which the engine computes in f32).
 *
 * @param network - `weights`: a tensor for every weight of the graph, as `bindWeights` reads them
 * @param views - values and what is a unit of them
 * @returns for each view, in order
 * @throws InputError if the data do not fit the graph, or an activation is not f32, or not finite
 * @throws RangeError if an option is out of range, or a view names no value of the graph
 */
export async function activationStatistics(
  network: { readonly graph: Graph; readonly engine: Engine; readonly weights: ReadonlyMap<string, Tensor> },
  data: DataSet,
  views: readonly UnitView[],
  options: ActivationStatisticsOptions = {},
): Promise<UnitStatistics[]> {
  const { graph, engine, weights } = network;
  const resolved = resolveOptions("measure activations", ACTIVATION_STATISTICS_DEFAULTS, options);
  const moments = views.map((view) => ({ reader: new UnitReader(view), moments: new UnitMoments() }));
  await runOver({ graph, engine, data, networks: [weights] }, views, resolved, async ([values]) => {
    for (const { reader, moments: own } of moments) own.add(reader.read(values?.get(reader.view.value)));
  });
  return moments.map(({ reader, moments: own }) => assertFinite(reader.view, own.result()));
}

/**
 * Measures some values of two networks over the same examples: means and variances of each, and covariances between units of
 * A and units of B. As {@link activationStatistics}, in one pass; but products of all pairs of units are added up in f32 over up
 * to 4096 samples, or those of one example, and in f64 over these, so that covariances are good to some 1e-6 of the deviations.
 *
 * @param networks - `a`, `b`: a tensor for every weight of the graph
 * @throws InputError if the data do not fit the graph, or an activation is not f32, or not finite
 * @throws RangeError if an option is out of range, or a view names no value of the graph
 */
export async function pairStatistics(
  networks: {
    readonly graph: Graph;
    readonly engine: Engine;
    readonly a: ReadonlyMap<string, Tensor>;
    readonly b: ReadonlyMap<string, Tensor>;
  },
  data: DataSet,
  views: readonly UnitView[],
  options: PairStatisticsOptions = {},
): Promise<PairStatistics[]> {
  const { graph, engine, a, b } = networks;
  const { pairs, ...resolved } = resolveOptions("measure activations", PAIR_STATISTICS_DEFAULTS, options);
  const products = pairs === "all" ? await createPairProducts(engine) : undefined;
  try {
    const moments = views.map((view) => ({
      readers: [new UnitReader(view), new UnitReader(view)] as const,
      moments: new PairMoments(products),
    }));
    await runOver({ graph, engine, data, networks: [a, b] }, views, resolved, async ([inA, inB]) => {
      for (const { readers, moments: own } of moments) {
        const { value } = readers[0].view;
        await own.add(readers[0].read(inA?.get(value)), readers[1].read(inB?.get(value)));
      }
    });
    return moments.map(({ readers, moments: own }) => {
      const result = own.result();
      assertFinite(readers[0].view, result.a);
      assertFinite(readers[0].view, result.b);
      assertProducts(readers[0].view, result);
      return result;
    });
  } finally {
    await products?.release();
  }
}

function assertFinite({ value }: UnitView, statistics: UnitStatistics): UnitStatistics {
  const unit = statistics.variance.findIndex((variance) => !Number.isFinite(variance));
  if (unit < 0) return statistics;
  throw new InputError(
    `Cannot measure "${value}" as activations must be finite: the variance of unit ${unit} is ${statistics.variance[unit]}`,
    { input: value },
  );
}

/** Activations that are finite may have products that are not, in f32. */
function assertProducts({ value }: UnitView, { covariance }: PairStatistics): void {
  if (covariance.every(Number.isFinite)) return;
  throw new InputError(
    `Cannot compare units of "${value}" as sums of products of their activations must be finite in f32: one is not`,
    { input: value },
  );
}

interface Pass {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  readonly networks: readonly ReadonlyMap<string, Tensor>[];
}

/** Runs networks of one graph side by side over a data set; hands over the values of each for each batch. */
async function runOver(
  { graph, engine, data, networks }: Pass,
  views: readonly UnitView[],
  { batchSize, threads, signal, onProgress }: Required<ActivationStatisticsOptions>,
  use: (values: readonly ReadonlyMap<string, Tensor>[]) => Promise<void>,
): Promise<void> {
  const attempt = "measure activations";
  const fed = new Set(graph.inputs.map(({ name }) => name));
  const wanted = [...new Set(views.map(({ value }) => value))].filter((value) => !fed.has(value));
  const plan = planFeeds(attempt, graph, data, batchSize);
  const leaveOut = await createLeaveOutFilling(attempt, { graph, engine }, plan);
  const sessions: Session[] = [];
  try {
    if (wanted.length > 0) {
      const part = extractSubgraph(graph, [], wanted);
      for (const weights of networks)
        sessions.push(await engine.load(bakeWeights(part, weights), { threads }));
    }
    for (const range of plan.ranges) {
      signal?.throwIfAborted();
      const batch = plan.read(range);
      const values: ReadonlyMap<string, Tensor>[] = [];
      for (const place of networks.keys()) {
        const all = [...batch.feeds, ...((await sessions[place]?.run(batch.feeds)) ?? [])];
        values.push(new Map(all.map(([name, value]) => [name, leaveOut(name, value, batch)])));
      }
      await use(values);
      onProgress?.({ done: range.end, total: data.size });
    }
  } finally {
    for (const session of sessions) await session.release();
  }
}
