/** A pivot below this share of the squared length of its column is zero: the column depends on others. */
const DEPENDENT = 1e-13;

/**
 * Computes the inverse of the upper triangular Cholesky factor `R` of a Gram matrix, `R^T R = gram`.
 *
 * A column that depends on earlier ones gets zeros, so that it is zero in the basis that is made with it.
 * @param gram - `[n, n]`, symmetric, positive semidefinite; the lower half is overwritten with `R^T`
 * @returns `R^-1`, `[n, n]`, upper triangular
 */
export function invertCholesky(gram: Float64Array, n: number): Float64Array {
  factor(gram, n);
  // Row j of `inverse` holds column j of R^-1 = row j of (R^T)^-1, so that all loops run along rows.
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
  const upper = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) upper[j * n + i] = inverse[i * n + j]!;
  return upper;
}

/** Overwrites the lower half with the factor; columns that depend on others have a diagonal of zero. */
function factor(gram: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const rowOfI = i * n;
    const squaredLength = gram[rowOfI + i]!;
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
    let rest = squaredLength;
    for (let k = 0; k < i; k++) rest -= gram[rowOfI + k]! * gram[rowOfI + k]!;
    gram[rowOfI + i] = rest > DEPENDENT * squaredLength ? Math.sqrt(rest) : 0;
  }
}
