import { sumOf } from "./sum-of.ts";

/** Computes the mean of numbers, added in their order; NaN if there are none. */
export function meanOf(values: Iterable<number> & { readonly length: number }): number {
  return sumOf(values) / values.length;
}
