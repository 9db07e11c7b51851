/** Computes the sum of numbers, added in their order; 0 if there are none. */
export function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
