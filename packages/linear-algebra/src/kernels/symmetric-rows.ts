/** Returns the sum of products of two rows from `begin` to `end`. */
export function innerOfRows(
  x: Float64Array,
  y: Float64Array,
  { begin, end }: { readonly begin: number; readonly end: number },
): number {
  let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
  let j = begin;
  for (; j + 4 <= end; j += 4) {
    sum0 += x[j]! * y[j]!;
    sum1 += x[j + 1]! * y[j + 1]!;
    sum2 += x[j + 2]! * y[j + 2]!;
    sum3 += x[j + 3]! * y[j + 3]!;
  }
  for (; j < end; j++) sum0 += x[j]! * y[j]!;
  return sum0 + sum1 + (sum2 + sum3);
}

/** Adds `factor` times a row to another from `begin` to `end`. */
export function addRow(
  to: Float64Array,
  factor: number,
  row: Float64Array,
  { begin, end }: { readonly begin: number; readonly end: number },
): void {
  for (let j = begin; j < end; j++) to[j] = to[j]! + factor * row[j]!;
}
