/**
 * Share of the squared length of a column below which its pivot counts as zero: the column depends on others.
 */
const DEPENDENT = 1e-13;

/**
 * Computes the inverse of the lower triangular Cholesky factor of a small Gram matrix.
 *
 * A column that depends on earlier ones gets zeros, so that it is zero in the basis that is made with the
 * inverse.
 * @param gram - `[n, n]`, symmetric, positive semidefinite; the lower half is overwritten
 * @param squares - `[n]`, squared length of each original column
 * @returns `[n, n]`, lower triangular
 */
export function invertSmallCholesky(gram: Float64Array, squares: Float64Array): Float64Array {
  const n = squares.length;
  factor(gram, squares);
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const pivot = gram[i * n + i]!;
    if (pivot === 0) continue;
    const row = inverse.subarray(i * n, i * n + i + 1);
    for (let k = 0; k < i; k++) {
      const factorOfRow = gram[i * n + k]!;
      if (factorOfRow === 0) continue;
      const earlier = k * n;
      for (let j = 0; j <= k; j++) row[j] = row[j]! - factorOfRow * inverse[earlier + j]!;
    }
    for (let j = 0; j < i; j++) row[j] = row[j]! / pivot;
    row[i] = 1 / pivot;
  }
  return inverse;
}

/** Overwrites the lower half with the factor; columns that depend on others have a diagonal of zero. */
function factor(gram: Float64Array, squares: Float64Array): void {
  const n = squares.length;
  for (let i = 0; i < n; i++) {
    const rowOfI = i * n;
    for (let j = 0; j < i; j++) {
      const rowOfJ = j * n;
      const pivot = gram[rowOfJ + j]!;
      if (pivot === 0) {
        gram[rowOfI + j] = 0;
        continue;
      }
      let sum = gram[rowOfI + j]!;
      for (let k = 0; k < j; k++) sum -= gram[rowOfI + k]! * gram[rowOfJ + k]!;
      gram[rowOfI + j] = sum / pivot;
    }
    let rest = gram[rowOfI + i]!;
    for (let k = 0; k < i; k++) rest -= gram[rowOfI + k]! * gram[rowOfI + k]!;
    gram[rowOfI + i] = rest > DEPENDENT * squares[i]! ? Math.sqrt(rest) : 0;
  }
}
