/**
 * Adds the products of all pairs of columns: `out[i * right + j] += sum over r of a[r, i] b[r, j]`, row by
 * row in f32.
 *
 * @param a - `[rows, left]`
 * @param b - `[rows, right]`
 * @param out - `[left, right]`
 */
export function addCrossProducts(a: Float32Array, b: Float32Array, out: Float32Array, rows: number): void {
  const left = a.length / rows;
  const right = b.length / rows;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < left; i++) {
      const factor = a[row * left + i]!;
      const at = i * right;
      for (let j = 0; j < right; j++) out[at + j]! += factor * b[row * right + j]!;
    }
  }
}

/**
 * Adds the products of all pairs of rows: `out[i * right + j] += sum over d of a[i, d] b[j, d]`, each sum in
 * f64.
 *
 * @param a - `[left, depth]`
 * @param b - `[right, depth]`
 * @param out - `[left, right]`
 */
export function addRowProducts(a: Float32Array, b: Float32Array, out: Float32Array, depth: number): void {
  const right = b.length / depth;
  for (let i = 0, at = 0; i * depth < a.length; i++) {
    const row = i * depth;
    for (let j = 0; j < right; j++, at++) {
      const other = j * depth;
      let sum = 0;
      for (let d = 0; d < depth; d++) sum += a[row + d]! * b[other + d]!;
      out[at]! += sum;
    }
  }
}

/**
 * Computes `out[i * right + j] = base[i * right + j] + a[i] b[j]`. The product and the sum are each rounded
 * to f32, as a matrix product over a single row rounds them.
 *
 * @param a - `[left]`
 * @param b - `[right]`
 * @param base - `[left, right]`
 * @param out - `[left, right]`
 */
export function addOuterProduct(
  a: Float32Array,
  b: Float32Array,
  base: Float32Array,
  out: Float32Array,
): void {
  for (let i = 0, at = 0; i < a.length; i++) {
    const factor = a[i]!;
    for (let j = 0; j < b.length; j++, at++) out[at] = base[at]! + Math.fround(factor * b[j]!);
  }
}
