/** Cosine below which two columns count as orthogonal. */
const ORTHOGONAL = 1e-15;
/** Number of sweeps after which the rotations must have converged; ten are usual. */
const SWEEPS = 60;

/**
 * Rotates vectors until all pairs are orthogonal, in place, and applies the same rotations to a second set.
 *
 * Source: Hestenes, Inversion of matrices by biorthogonalization, 1958; Demmel and Veselic, Jacobi's method
 * is more accurate than QR, 1992.
 * @param vectors - `[count, length]`, one vector a row
 * @param followers - `[count, count]`, which gets the same rotations
 */
export function orthogonalizeRows(
  vectors: Float64Array,
  followers: Float64Array,
  { count, length }: { readonly count: number; readonly length: number },
): void {
  const squares = Float64Array.from({ length: count }, (_, i) =>
    rowProduct(vectors, i * length, i * length, length),
  );
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let isDone = true;
    for (let i = 0; i < count - 1; i++) {
      for (let j = i + 1; j < count; j++) {
        const product = rowProduct(vectors, i * length, j * length, length);
        const alpha = squares[i]!;
        const beta = squares[j]!;
        if (product === 0 || Math.abs(product) <= ORTHOGONAL * Math.sqrt(alpha * beta)) continue;
        isDone = false;
        const zeta = (beta - alpha) / (2 * product);
        const tangent = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        rotate(vectors, i * length, j * length, { length, cosine, sine: cosine * tangent });
        rotate(followers, i * count, j * count, { length: count, cosine, sine: cosine * tangent });
        // The squares are computed anew: an update by differences loses small squares next to large ones.
        squares[i] = rowProduct(vectors, i * length, i * length, length);
        squares[j] = rowProduct(vectors, j * length, j * length, length);
      }
    }
    if (isDone) return;
  }
}

function rowProduct(vectors: Float64Array, x: number, y: number, length: number): number {
  let even = 0;
  let odd = 0;
  let p = 0;
  for (; p + 1 < length; p += 2) {
    even += vectors[x + p]! * vectors[y + p]!;
    odd += vectors[x + p + 1]! * vectors[y + p + 1]!;
  }
  if (p < length) even += vectors[x + p]! * vectors[y + p]!;
  return even + odd;
}

interface Rotation {
  readonly length: number;
  readonly cosine: number;
  readonly sine: number;
}

function rotate(rows: Float64Array, x: number, y: number, { length, cosine, sine }: Rotation): void {
  for (let p = 0; p < length; p++) {
    const a = rows[x + p]!;
    const b = rows[y + p]!;
    rows[x + p] = cosine * a - sine * b;
    rows[y + p] = sine * a + cosine * b;
  }
}
