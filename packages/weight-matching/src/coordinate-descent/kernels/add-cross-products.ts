/**
 * Adds the products of all pairs of columns: `out[i * units + j] += sum over r of a[r, i] b[r, j]`, row by
 * row in f32.
 *
 * @param a - `[rows, units]`
 * @param b - `[rows, units]`
 * @param out - `[units, units]`
 */
export function addCrossProducts(a: Float32Array, b: Float32Array, out: Float32Array, units: number): void {
  for (let row = 0; row < a.length; row += units) {
    for (let i = 0; i < units; i++) {
      const factor = a[row + i]!;
      const at = i * units;
      for (let j = 0; j < units; j++) out[at + j]! += factor * b[row + j]!;
    }
  }
}
