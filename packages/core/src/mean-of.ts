/** Computes the mean of numbers, added in their order; NaN if there are none. */
export function meanOf(values: Iterable<number> & { readonly length: number }): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
