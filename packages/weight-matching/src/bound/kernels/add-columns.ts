/**
 * Adds products of corresponding columns: `out[j] += sum over r of a[r, j] b[r, j]`, row by row in f64.
 *
 * @param a - `[rows, out.length]`
 * @param b - `[rows, out.length]`
 */
export function addColumns(a: Float32Array, b: Float32Array, out: Float64Array): void {
  const columns = out.length;
  for (let row = 0; row < a.length; row += columns) {
    for (let j = 0; j < columns; j++) out[j]! += a[row + j]! * b[row + j]!;
  }
}
