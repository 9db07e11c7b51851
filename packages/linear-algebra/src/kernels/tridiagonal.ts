/** Number of steps for one eigenvalue after which the iteration must have converged; two are usual. */
const STEPS = 60;

/**
 * Diagonalizes three diagonals in place by QL steps; rows of `vectors` become eigenvectors.
 *
 * Source: Golub and Van Loan, Matrix computations, 4th edition, section 8.3.3.
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
