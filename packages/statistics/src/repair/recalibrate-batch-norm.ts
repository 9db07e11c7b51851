import { type Checkpoint, entry, resolveOptions, type Tensor, withTensors } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet } from "@isthmus/graph";
import { findBatchNorms } from "./batch-norm-sites.ts";
import { MEASURE_IN_ORDER_DEFAULTS, type MeasureInOrderOptions, measureInOrder } from "./measure-in-order.ts";

/** Options of {@link recalibrateBatchNorm}. */
export type RecalibrateOptions = MeasureInOrderOptions;

/** Defaults of {@link recalibrateBatchNorm}. */
const RECALIBRATE_DEFAULTS: Required<RecalibrateOptions> = MEASURE_IN_ORDER_DEFAULTS;

/**
 * Measures the mean and variance of every batch norm again, as in one batch of all examples.
 *
 * Norms are measured in order, each after all earlier norms are replaced, so the result does not depend on
 * how examples are split into batches, unlike the running averages of a training pass (Jordan et al. 2023,
 * section 3, reset with momentum averages). Sums are in f64. Variances are population variances; in training
 * mode PyTorch stores `n / (n - 1)` of the variance of a batch of `n`.
 *
 * @returns the network with new statistics; every other tensor, such as a counter of batches, is unchanged
 * @throws InputError if there are no examples, they do not fit the graph's input, or the activations of a
 *   norm are not finite f32
 * @throws UnsupportedError if two norms share their statistics
 * @throws OutOfRangeError if an option is out of its range
 */
export async function recalibrateBatchNorm(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: RecalibrateOptions = {},
): Promise<Checkpoint> {
  const resolved = resolveOptions("recalibrate batch norm", RECALIBRATE_DEFAULTS, options);
  const weights = await bindWeights(graph, network);
  const measurement = {
    attempt: "recalibrate batch norms",
    sites: findBatchNorms(graph),
    correct: storeStatistics,
  };
  await measureInOrder({ graph, engine, weights }, data, measurement, resolved);
  const names = measurement.sites.flatMap(({ mean, variance }) => [mean, variance]);
  return withTensors(network, new Map(names.map((name) => [name, entry(weights, name, "statistic")])));
}

function storeStatistics(
  site: { readonly mean: string; readonly variance: string },
  { mean, variance }: { readonly mean: Float64Array; readonly variance: Float64Array },
  weights: Map<string, Tensor>,
): void {
  for (const [name, values] of [
    [site.mean, mean],
    [site.variance, variance],
  ] as const) {
    weights.set(name, { dtype: "f32", shape: [values.length], data: Float32Array.from(values) });
  }
}
