/** Multiplies the elements off the diagonal of a square matrix by a factor, in place. */
export function shrinkOffDiagonal(matrix: Float64Array, n: number, factor: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (i !== j) matrix[i * n + j] = matrix[i * n + j]! * factor;
  }
}

/** Adds one array to another, element by element. */
export function addTo(sum: Float64Array, part: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + part[i]!;
}

/**
 * Adds `G W^T` to a sum.
 * @param sum - `[inputs, outputs]`
 * @param gram - `[inputs, inputs]`
 * @param weight - `[outputs, inputs]`
 */
export function addGramProduct(
  sum: Float64Array,
  gram: Float64Array,
  weight: Float64Array,
  inputs: number,
): void {
  const outputs = inputs === 0 ? 0 : weight.length / inputs;
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) {
      let product = 0;
      for (let k = 0; k < inputs; k++) product += gram[i * inputs + k]! * weight[o * inputs + k]!;
      sum[i * outputs + o] = sum[i * outputs + o]! + product;
    }
  }
}

/** Writes the transpose of `[rows, columns]`. */
export function transpose(source: Float64Array, rows: number, columns: number, out: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = source[i * columns + j]!;
  }
}
