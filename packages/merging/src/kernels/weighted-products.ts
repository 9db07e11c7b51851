/** Multiplies the elements off the diagonal of a square matrix by a factor, in place. */
export function shrinkOffDiagonal(matrix: Float64Array, n: number, factor: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (i !== j) matrix[i * n + j] = matrix[i * n + j]! * factor;
  }
}
