/** Eigenvalues of a symmetric matrix, unordered, and its eigenvectors, one a row. */
export interface EigenRows {
  /** Eigenvalues in no order, `[n]`. */
  readonly values: Float64Array;
  /** Eigenvectors in the order of their eigenvalues, one a row, `[n, n]`. */
  readonly vectors: Float64Array;
}

/** Number of steps for one eigenvalue after which the iteration must have converged; two are usual. */
const STEPS = 60;

/**
 * Computes the eigenvalues and eigenvectors of a symmetric matrix: Householder reflections to three
 * diagonals, then QL steps with implicit shifts.
 *
 * Source: Golub and Van Loan, Matrix computations, 4th edition, sections 8.3.1 and 8.3.3.
 * @param matrix - `[n, n]`, symmetric; overwritten
 */
export function diagonalize(matrix: Float64Array, n: number): EigenRows {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const vectors = tridiagonalize(matrix, n, diagonal, beside);
  diagonalizeThree(diagonal, beside, vectors, n);
  return { values: diagonal, vectors };
}

/**
 * Reduces a symmetric matrix to three diagonals; returns the reflections' product, `rows^T T rows = matrix`.
 */
function tridiagonalize(
  matrix: Float64Array,
  n: number,
  diagonal: Float64Array,
  beside: Float64Array,
): Float64Array {
  const product = new Float64Array(n);
  const scales = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    // The reflection that clears row k right of the first off-diagonal element is kept in that row.
    const row = k * n;
    let length = 0;
    for (let j = k + 1; j < n; j++) length = Math.hypot(length, matrix[row + j]!);
    beside[k] = 0;
    if (length === 0) continue;
    const head = matrix[row + k + 1]!;
    const alpha = head > 0 ? -length : length;
    beside[k] = alpha;
    matrix[row + k + 1] = head - alpha;
    const scale = 1 / (length * (length + Math.abs(head)));
    scales[k] = scale;
    reflect(matrix, n, k, { scale, product });
  }
  for (let k = 0; k < n; k++) diagonal[k] = matrix[k * n + k]!;
  if (n > 1) beside[n - 2] = matrix[(n - 2) * n + n - 1]!;
  return accumulate(matrix, n, scales);
}

/** Applies the reflection of row k to the rows and columns after it: `A - v w^T - w v^T`. */
function reflect(
  matrix: Float64Array,
  n: number,
  k: number,
  { scale, product }: { readonly scale: number; readonly product: Float64Array },
): void {
  const row = k * n;
  let inner = 0;
  for (let i = k + 1; i < n; i++) {
    let sum = 0;
    for (let j = k + 1; j < n; j++) sum += matrix[i * n + j]! * matrix[row + j]!;
    product[i] = scale * sum;
    inner += matrix[row + i]! * product[i]!;
  }
  const half = 0.5 * scale * inner;
  for (let i = k + 1; i < n; i++) product[i] = product[i]! - half * matrix[row + i]!;
  for (let i = k + 1; i < n; i++) {
    const v = matrix[row + i]!;
    const w = product[i]!;
    for (let j = k + 1; j < n; j++) {
      matrix[i * n + j] = matrix[i * n + j]! - v * product[j]! - w * matrix[row + j]!;
    }
  }
}

/** Multiplies the reflections, last first; each acts on the rows after its own. */
function accumulate(matrix: Float64Array, n: number, scales: Float64Array): Float64Array {
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) rows[i * n + i] = 1;
  const sums = new Float64Array(n);
  for (let k = n - 3; k >= 0; k--) {
    const scale = scales[k]!;
    if (scale === 0) continue;
    // rows <- rows (I - scale v v^T), which changes columns after k of rows after k only.
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += rows[i * n + j]! * matrix[k * n + j]!;
      sums[i] = scale * sum;
    }
    for (let i = k + 1; i < n; i++) {
      for (let j = k + 1; j < n; j++) rows[i * n + j] = rows[i * n + j]! - sums[i]! * matrix[k * n + j]!;
    }
  }
  return rows;
}

/**
 * Diagonalizes three diagonals in place by QL steps; rows of `vectors` become eigenvectors.
 * @param beside - `[n]`, elements beside the diagonal; the last one is not used
 * @param vectors - `[n, n]`, the identity for eigenvectors of the three diagonals themselves
 */
export function diagonalizeThree(
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array,
  n: number,
): void {
  for (let first = 0; first < n; first++) {
    for (let step = 0; step < STEPS; step++) {
      let last = first;
      while (last < n - 1 && !isNegligible(diagonal, beside, last)) last++;
      if (last === first) break;
      stepFrom(diagonal, beside, vectors, { first, last, n });
    }
  }
}

function isNegligible(diagonal: Float64Array, beside: Float64Array, i: number): boolean {
  const size = Math.abs(diagonal[i]!) + Math.abs(diagonal[i + 1]!);
  return Math.abs(beside[i]!) <= Number.EPSILON * size || beside[i] === 0;
}

/** Makes one QL step with an implicit shift on the block from `first` to `last`. */
function stepFrom(
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array,
  { first, last, n }: { readonly first: number; readonly last: number; readonly n: number },
): void {
  const half = (diagonal[first + 1]! - diagonal[first]!) / (2 * beside[first]!);
  const root = Math.hypot(half, 1);
  let g = diagonal[last]! - diagonal[first]! + beside[first]! / (half + (half < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let p = 0;
  for (let i = last - 1; i >= first; i--) {
    const f = sine * beside[i]!;
    const b = cosine * beside[i]!;
    const r = Math.hypot(f, g);
    beside[i + 1] = r;
    if (r === 0) {
      diagonal[i + 1] = diagonal[i + 1]! - p;
      beside[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = diagonal[i + 1]! - p;
    const t = (diagonal[i]! - g) * sine + 2 * cosine * b;
    p = sine * t;
    diagonal[i + 1] = g + p;
    g = cosine * t - b;
    const upper = i * n;
    const lower = upper + n;
    for (let j = 0; j < n; j++) {
      const y = vectors[lower + j]!;
      const x = vectors[upper + j]!;
      vectors[lower + j] = sine * x + cosine * y;
      vectors[upper + j] = cosine * x - sine * y;
    }
  }
  diagonal[first] = diagonal[first]! - p;
  beside[first] = g;
  beside[last] = 0;
}
