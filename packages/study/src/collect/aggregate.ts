import { sumOf } from "@isthmus/core";
/** Name of one of {@link AGGREGATES}. */
export type AggregateName = "mean" | "std" | "min" | "max" | "low" | "high" | "count";

/** Ways to make one number of several values (at least one); null if there are too few values for it. */
export const AGGREGATES: Readonly<Record<AggregateName, (values: readonly number[]) => number | null>> = {
  mean,
  std: (values) => (values.length < 2 ? null : deviation(values)),
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
  low: (values) => (values.length < 2 ? null : mean(values) - deviation(values)),
  high: (values) => (values.length < 2 ? null : mean(values) + deviation(values)),
  count: (values) => values.length,
};

/** Adds the values in ascending order, so that the sum does not depend on the order in which they come. */
function sum(values: readonly number[]): number {
  return sumOf([...values].sort((a, b) => a - b));
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Sample standard deviation of two values or more. */
function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}
