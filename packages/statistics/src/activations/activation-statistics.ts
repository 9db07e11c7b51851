import { at, type Checkpoint, InputError, resolveOptions } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet } from "@isthmus/graph";
import { PairMoments, type PairStatistics } from "./pair-moments.ts";
import { createPairProducts, type PairProducts } from "./pair-products.ts";
import { runOver } from "./run-over.ts";
import { ACTIVATION_STATISTICS_DEFAULTS, type ActivationStatisticsOptions } from "./statistics-options.ts";
import { UnitMoments, type UnitStatistics } from "./unit-moments.ts";
import { UnitReader, type UnitView } from "./unit-view.ts";

/** Values that are measured. */
export interface MeasuredViews {
  /** Values of the graph, with their division into units; results are in their order. */
  readonly views: readonly UnitView[];
}

/** Options of {@link pairStatistics}. */
export interface PairStatisticsOptions extends ActivationStatisticsOptions {
  /** Whether to measure covariances of all pairs of units, or of equal units only. @defaultValue "all" */
  readonly pairs?: "all" | "equal";
}

/** Defaults of {@link pairStatistics}. */
const PAIR_STATISTICS_DEFAULTS: Required<PairStatisticsOptions> = {
  ...ACTIVATION_STATISTICS_DEFAULTS,
  pairs: "all",
};

/**
 * Measures mean and variance of each unit of some values of
 * a network over a data set, in one pass and in f64.
 *
 * Variances are population variances. Batches are merged as by Chan, Golub and LeVeque (1983), so the result
 * does not depend on the batch size beyond rounding of f64 (and of the network itself, which the engine
 * computes in f32).
 *
 * @returns statistics of each view, in order
 * @throws InputError if the data do not fit the graph, or an activation is not f32, or not finite
 * @throws OutOfRangeError if an option is out of range, or a view names no value of the graph
 */
export async function activationStatistics(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  { views, ...options }: ActivationStatisticsOptions & MeasuredViews,
): Promise<UnitStatistics[]> {
  const weights = await bindWeights(graph, network);
  const resolved = resolveOptions("measure activations", ACTIVATION_STATISTICS_DEFAULTS, options);
  const measured = views.map((view) => ({ reader: new UnitReader(view), moments: new UnitMoments() }));
  const pass = { networks: [{ graph, engine, weights, views }], data };
  await runOver(pass, resolved, async (networks) => {
    const values = at(networks, 0, "network");
    for (const { reader, moments } of measured) moments.add(reader.read(values.get(reader.view.value)));
  });
  return measured.map(({ reader, moments }) => assertFinite(reader.view, moments.result()));
}

/**
 * Measures some values of two networks over the same examples: means and variances of each unit, and
 * covariances between units of A and units of B.
 *
 * It works like {@link activationStatistics}, but products of all pairs of units are added up in f32 over up
 * to 4096 samples, or the samples of one example, and then in f64, so that covariances are exact to about
 * 1e-6 of the deviations.
 *
 * @param networks - `a` and `b` have a tensor for every weight of the graph
 * @throws InputError if the data do not fit the graph, or an activation is not f32, or not finite
 * @throws OutOfRangeError if an option is out of range, or a view names no value of the graph
 */
export async function pairStatistics(
  { graph, engine }: Architecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  { views, ...options }: PairStatisticsOptions & MeasuredViews,
): Promise<PairStatistics[]> {
  const { pairs, ...resolved } = resolveOptions("measure activations", PAIR_STATISTICS_DEFAULTS, options);
  const run = { graph, engine, views };
  const [a, b] = networks;
  return measurePairs(
    [
      { ...run, network: a },
      { ...run, network: b },
    ],
    data,
    {
      ...resolved,
      products: pairs === "all" ? await createPairProducts(engine) : undefined,
    },
  );
}

/** A network of its own architecture, and its values that are compared. */
export interface ViewedNetwork extends Architecture, MeasuredViews {
  /** Network with a tensor for every weight of the graph. */
  readonly network: Checkpoint;
}

/**
 * Measures values of two networks of different architectures over the same examples, as
 * {@link pairStatistics} does for one architecture: the units of view `i` of A with the units of view `i` of
 * B, which may be more or fewer, but must have as many samples.
 *
 * @param networks - two networks with equally many views
 * @returns statistics of each pair of views; covariances are `[units of A, units of B]`
 * @throws InputError if the data do not fit a graph, or an activation is not f32, or not finite
 * @throws OutOfRangeError if an option is out of range, or a view names no value of its graph
 */
export async function crossStatistics(
  networks: readonly [ViewedNetwork, ViewedNetwork],
  data: DataSet,
  options: ActivationStatisticsOptions = {},
): Promise<PairStatistics[]> {
  const resolved = resolveOptions("measure activations", ACTIVATION_STATISTICS_DEFAULTS, options);
  return measurePairs(networks, data, {
    ...resolved,
    products: await createPairProducts(networks[0].engine),
  });
}

/** Measures pairs of views, and releases the products. */
async function measurePairs(
  [a, b]: readonly [ViewedNetwork, ViewedNetwork],
  data: DataSet,
  {
    products,
    ...options
  }: Required<ActivationStatisticsOptions> & { readonly products: PairProducts | undefined },
): Promise<PairStatistics[]> {
  try {
    const bind = async ({ network, ...run }: ViewedNetwork) => ({
      ...run,
      weights: await bindWeights(run.graph, network),
    });
    const pass = { networks: [await bind(a), await bind(b)], data };
    const measured = a.views.map((view, i) => ({
      readers: [new UnitReader(view), new UnitReader(at(b.views, i, "view"))] as const,
      moments: new PairMoments(products),
    }));
    await runOver(pass, options, async (networkValues) => {
      const [inA, inB] = [at(networkValues, 0, "network"), at(networkValues, 1, "network")];
      for (const { readers, moments } of measured) {
        const [ofA, ofB] = readers;
        await moments.add(ofA.read(inA.get(ofA.view.value)), ofB.read(inB.get(ofB.view.value)));
      }
    });
    return measured.map(({ readers, moments }) => {
      const result = moments.result();
      assertFinite(readers[0].view, result.a);
      assertFinite(readers[1].view, result.b);
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

/** Checks that covariances are finite, as finite activations may have products that are infinite in f32. */
function assertProducts({ value }: UnitView, { covariance }: PairStatistics): void {
  if (covariance.every(Number.isFinite)) return;
  throw new InputError(
    `Cannot compare units of "${value}" as sums of products of their activations must be finite in f32: one is not`,
    { input: value },
  );
}
