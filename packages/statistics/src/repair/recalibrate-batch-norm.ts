import { resolveOptions, type Tensor } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import { findBatchNorms } from "./batch-norm-sites.ts";
import { MEASURE_IN_ORDER_DEFAULTS, type MeasureInOrderOptions, measureInOrder } from "./measure-in-order.ts";

/** Options of {@link recalibrateBatchNorm}. */
export type RecalibrateOptions = MeasureInOrderOptions;

/** Defaults of {@link recalibrateBatchNorm}. */
export const RECALIBRATE_DEFAULTS: Required<RecalibrateOptions> = MEASURE_IN_ORDER_DEFAULTS;

/**
 * Measures the mean and variance of every batch norm again, as in one batch of all examples.
 *
 * Norms are measured in order, each after all earlier norms are replaced, so the result does not depend on
 * how examples are split into batches, unlike the running averages of a training pass (Jordan et al. 2023,
 * section 3, reset with momentum averages). Sums are in f64; variances are population variances.
 *
 * @param network - `weights` has a tensor for every weight of the graph
 * @returns all of `weights`, with new statistics
 * @throws InputError if there are no examples, they do not fit the graph's input, or the activations of a
 * norm are not finite f32
 * @throws UnsupportedError if two norms share their statistics
 * @throws OutOfRangeError if an option is out of its range
 */
export async function recalibrateBatchNorm(
  network: { readonly graph: Graph; readonly engine: Engine; readonly weights: ReadonlyMap<string, Tensor> },
  data: DataSet,
  options: RecalibrateOptions = {},
): Promise<Map<string, Tensor>> {
  const resolved = resolveOptions("recalibrate batch norm", RECALIBRATE_DEFAULTS, options);
  const weights = new Map(network.weights);
  const measurement = {
    attempt: "recalibrate batch norms",
    sites: findBatchNorms(network.graph),
    correct: storeStatistics,
  };
  await measureInOrder({ ...network, weights }, data, measurement, resolved);
  return weights;
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
