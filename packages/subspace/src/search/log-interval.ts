import { at, meanOf } from "@isthmus/core";

/** Interval of a dimension. */
export interface DimensionInterval {
  /** Lower end of the interval, a dimension that need not be whole. */
  readonly low: number;
  /** Upper end of the interval, a dimension that need not be whole. */
  readonly high: number;
}

/** Quantiles of Student's t at 0.975, for 1 to 8 degrees of freedom. */
const QUANTILES = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306] as const;
/** Quantile of the normal distribution at 0.975. */
const NORMAL = 1.959964;

/**
 * Returns the 95 % interval of the geometric mean of dimensions: Student's t on their logarithms.
 * @param dimensions - at least two
 */
export function logInterval(dimensions: readonly number[]): DimensionInterval {
  const logs = dimensions.map(Math.log);
  const mean = meanOf(logs);
  const freedom = logs.length - 1;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / freedom;
  const reach = studentQuantile(freedom) * Math.sqrt(variance / logs.length);
  return { low: Math.exp(mean - reach), high: Math.exp(mean + reach) };
}

/** Returns the quantile of Student's t at 0.975: for many degrees of freedom, by its expansion. */
function studentQuantile(freedom: number): number {
  if (freedom <= QUANTILES.length) return at(QUANTILES, freedom - 1, "quantile");
  const z = NORMAL;
  const first = (z ** 3 + z) / (4 * freedom);
  return z + first + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}
