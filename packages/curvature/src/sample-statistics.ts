import { meanOf } from "@isthmus/core";

/** Computes the standard error of the mean of independent numbers, at least two. */
export function standardErrorOf(values: readonly number[]): number {
  const center = meanOf(values);
  const squares = values.reduce((sum, x) => sum + (x - center) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
