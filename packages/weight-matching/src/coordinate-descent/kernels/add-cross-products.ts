/**
 * `out[i * units + j] += sum over c of a[i, c] b[j, c]`, summed in f64.
 *
 * @param a - `[units, columns]`
 * @param b - `[units, columns]`
 * @param out - `[units, units]`
 */
export function addCrossProducts(a: Float32Array, b: Float32Array, out: Float32Array, units: number): void {
  const columns = a.length / units;
  for (let i = 0; i < units; i++) {
    const row = i * columns;
    for (let j = 0; j < units; j++) {
      const other = j * columns;
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += a[row + c]! * b[other + c]!;
      out[i * units + j]! += sum;
    }
  }
}
