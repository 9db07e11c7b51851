/**
 * Adds consecutive rows to one row, in f64.
 * @param rows - `[n, width]`, row-major
 * @param sum - `[width]`, to which the rows are added
 */
export function addRows(rows: Float32Array | Float64Array, sum: Float64Array): void {
  const width = sum.length;
  for (let begin = 0; begin < rows.length; begin += width) {
    for (let i = 0; i < width; i++) sum[i]! += rows[begin + i]!;
  }
}
