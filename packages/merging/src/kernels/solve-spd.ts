/**
 * Solves `A X = B` for a symmetric positive definite A, by Cholesky's factorisation in f64.
 *
 * @param matrix - `[n, n]`, of which the lower triangle is read; it is overwritten by its factor
 * @param right - `[n, columns]`, overwritten by the solution
 * @returns whether A is positive definite; if not, `right` holds nothing of use
 */
export function solveSpd(matrix: Float64Array, right: Float64Array, n: number): boolean {
  const columns = n === 0 ? 0 : right.length / n;
  if (!factorize(matrix, n)) return false;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtractRow(right, i, k, matrix[i * n + k]!, columns);
    scaleRow(right, i, 1 / matrix[i * n + i]!, columns);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtractRow(right, i, k, matrix[k * n + i]!, columns);
    scaleRow(right, i, 1 / matrix[i * n + i]!, columns);
  }
  return true;
}

/** Writes the lower factor L of `A = L L^T` over the lower triangle of A. */
function factorize(matrix: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k]! * matrix[j * n + k]!;
      if (i !== j) matrix[i * n + j] = sum / matrix[j * n + j]!;
      else if (sum > 0 && Number.isFinite(sum)) matrix[i * n + i] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}

function subtractRow(rows: Float64Array, to: number, from: number, factor: number, columns: number): void {
  const target = to * columns;
  const source = from * columns;
  for (let j = 0; j < columns; j++) rows[target + j] = rows[target + j]! - factor * rows[source + j]!;
}

function scaleRow(rows: Float64Array, row: number, factor: number, columns: number): void {
  for (let j = row * columns; j < (row + 1) * columns; j++) rows[j] = rows[j]! * factor;
}
