import { at, type Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { pairStatistics } from "./activation-statistics.ts";
import type { PairStatistics } from "./pair-moments.ts";
import type { ActivationStatisticsOptions } from "./statistics-options.ts";

/** Number, mean and mean products of the rows of a value, such as the hidden states of tokens. */
export interface SecondMoments {
  /** Number of rows: all examples, and all positions of each. */
  readonly count: number;
  /** Mean of the rows, `[units]`. */
  readonly mean: Float64Array;
  /** Mean of the products of all pairs of units, `X^T X / count` of rows `X`, `[units, units]`, symmetric. */
  readonly products: Float64Array;
}

/**
 * Measures the means and the mean products of the rows of some values of a network on data, about 0 rather
 * than about the mean: the statistics of linear regressions from these values.
 *
 * Products are added up in f32 over up to 4096 rows and then in f64, so that they are exact to about 1e-6.
 * @param values - names of values of the graph whose last axis has the units; all other axes are rows
 * @returns moments of each value, in order
 * @throws InputError if the data do not fit the graph, or an activation is not f32, or not finite
 * @throws OutOfRangeError if an option is out of range, or the graph has no value of a name
 */
export async function measureSecondMoments(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  { values, ...options }: ActivationStatisticsOptions & { readonly values: readonly string[] },
): Promise<SecondMoments[]> {
  const views = values.map((value) => ({ value, axes: [-1] }));
  const statistics = await pairStatistics(architecture, [network, network], data, { ...options, views });
  return statistics.map(toMoments);
}

/** Turns covariances and means into mean products, made exactly symmetric. */
function toMoments({ a: { count, mean }, covariance }: PairStatistics): SecondMoments {
  const n = mean.length;
  const products = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const both = (at(covariance, i * n + j) + at(covariance, j * n + i)) / 2;
      products[i * n + j] = both + at(mean, i) * at(mean, j);
    }
  }
  return { count, mean: Float64Array.from(mean), products };
}
